"""`chunkenv train sharsa`: its arms, and sentences for invalid arguments."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from chunkenv.cli.train.sharsa import sharsa
from chunkenv.errors import ArgumentError

app = typer.Typer()
app.command()(sharsa)

QUICK = ["--updates", "4", "--evaluate-every", "4", "--episodes", "1", "--hidden", "8", "--samples", "2"]


@pytest.mark.slow
@pytest.mark.parametrize(("arm", "name"), [([], "sharsa"), (["--flat", "--no-values"], "flat")])
def test_play_of_a_family_is_enough(tmp_path, arm, name):
    pytest.importorskip("ogbench")
    from chunkenv.collect import collect_oracle

    data = tmp_path / "data"
    collect_oracle("manip-cube-single-task1", "play", data, episodes=3)
    result = CliRunner().invoke(app, ["cube-single", "--data", str(data), *QUICK, *arm, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    folder = tmp_path / "manip-cube-single-v0" / name / "seed0"
    last = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert "solve_rate" in last
    assert ("spearman" in last) == (name == "sharsa")
    assert (folder / "agent.safetensors").exists()
    assert "watch  chunkenv play chunkenv/manip-cube-single-v0 --agent" in result.output
    with pytest.raises(ArgumentError, match="not of cube-double"):
        CliRunner().invoke(app, ["cube-double", "--data", str(data), *QUICK], catch_exceptions=False)
    with pytest.raises(ArgumentError, match="one goal only"):
        CliRunner().invoke(app, ["cube-single-task1", "--data", str(data), *QUICK], catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-task"], "no-such-task"),
        (["cube-double", "--ahead", "3"], "backup=3 is less than chunk=5"),
        (["cube-double", "--hidden", "wide"], "hidden='wide'"),
        (["cube-double", "--samples", "0"], "samples=0"),
        (["cube-double", "--delay", "6"], "delay=6 is more than chunk=5"),
    ],
)
def test_one_sentence_for_what_cannot_be_meant(arguments, said, tmp_path):
    result = CliRunner().invoke(app, [*arguments, "--data", str(tmp_path / "none"), "--out", str(tmp_path)])
    assert isinstance(result.exception, ArgumentError)
    assert said in str(result.exception)


def test_data_that_are_not_there_are_one_sentence(tmp_path):
    with pytest.raises(Exception, match="none is no dataset"):
        CliRunner().invoke(app, ["cube-double", "--data", str(tmp_path / "none")], catch_exceptions=False)
