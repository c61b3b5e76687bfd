import gymnasium as gym
import pytest
from typer.testing import CliRunner

from chunkenv.cli.app import app


def tasks(columns):
    return CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, ["tasks"]).stdout


def test_every_id_is_listed_and_can_be_copied():
    output = tasks(80)
    ours = [id for id in gym.registry if id.startswith("chunkenv/")]
    listed = [line.split()[0] for line in output.splitlines() if line.startswith("chunkenv/")]
    assert sorted(listed) == sorted(ours)
    assert "Box[679]" in output
    assert "1/30 s" in output
    assert "Box[115]" in output
    assert "1/20 s" in output
    assert max(map(len, output.splitlines())) <= 80


@pytest.mark.parametrize("columns", [40, 20])
def test_a_narrow_console_cuts_no_id(columns):
    output = tasks(columns)
    assert max(map(len, output.splitlines())) <= columns
    unfolded = "".join(line.rstrip() for line in output.splitlines())
    for id in gym.registry:
        assert id in unfolded or not id.startswith("chunkenv/")
