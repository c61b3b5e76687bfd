from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from chunkenv.agents import load_agent
from chunkenv.cli.train import co_rft as train_co_rft
from chunkenv.cli.train.co_rft import co_rft
from chunkenv.data import DataError, load
from chunkenv.errors import ArgumentError

pytest.importorskip("ogbench")
app = typer.Typer()
app.command()(co_rft)

QUICK = ["--updates", "4", "--imitation", "2", "--warm-up", "1", "--episodes", "1", "--hidden", "8", "--chunk", "3"]


@pytest.mark.slow
def test_a_manipulation_task_is_enough(tmp_path, monkeypatch):
    """Imperfect demonstrations are collected once; the agent plays late."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_co_rft, "DEMONSTRATIONS", 2)
    result = CliRunner().invoke(app, ["cube-single-task2", *QUICK, "--delay", "2"])
    assert result.exit_code == 0, result.output
    assert "2 imperfect demonstrations" in result.output
    folder = tmp_path / "results" / "co_rft" / "manip-cube-single-task2-v0" / "td3-bc" / "seed0"
    assert "solve_rate" in json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert load_agent(folder / "agent.safetensors").settings.horizons.delay == 2
    data = load(tmp_path / "results" / "data" / "manip-cube-single-task2-imperfect")
    assert data.info["experts"][0]["imperfection"] == train_co_rft.IMPERFECT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Pendulum-v1"], "needs demonstrations"),
        (["cube-single-task2", "--data", "nowhere"], "is no dataset"),
        (["cube-single-task2", "--actor", "sac"], "actor='sac'"),
        (["cube-single-task2", "--lengths", "4"], "lengths=4 is more than chunk=3"),
        (["cube-single-task2", "--updates", "0"], "nothing to be done"),
        (["cube-single-task2", "--discount", "1"], "discount=1.0"),
        (["cube-single-task2", "--evaluate-every", "0"], "evaluate_every=0"),
    ],
)
def test_one_sentence_for_what_cannot_be_meant(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*QUICK, *arguments])
    assert isinstance(result.exception, ArgumentError | DataError)
    assert said in str(result.exception)
    assert not list(tmp_path.iterdir())
