from __future__ import annotations

import json

import gymnasium as gym
import pytest
import typer
from typer.testing import CliRunner

from chunkenv.cli.train import qc as train_qc
from chunkenv.cli.train.qc import qc
from chunkenv.data import load
from chunkenv.errors import ArgumentError
from chunkenv.registration import find_task, read_id

app = typer.Typer()
app.command()(qc)

QUICK = ["--online-steps", "5", "--episodes", "1", "--evaluate-every", "5", "--hidden", "8", "--chunk", "5"]


@pytest.mark.slow
def test_it_trains_without_data_on_any_environment_of_vectors(tmp_path):
    arguments = ["Pendulum-v1", "--agent", "rlpd-ac", "--delay", "2", *QUICK, "--out", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    folder = tmp_path / "Pendulum-v1" / "rlpd-ac" / "seed0"
    assert (folder / "agent.safetensors").exists()
    assert "return" in json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert "rlpd-ac: 5 of 5 steps" in result.output  # though the last episode went on to its end


def test_a_manipulation_task_is_enough(tmp_path, monkeypatch):
    """The oracle's play is collected once, where later trainings find it."""
    pytest.importorskip("ogbench")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_qc, "EPISODES", 1)
    task = "chunkenv/manip-cube-single-task2-v0"
    arguments = ["--offline-steps", "5", *QUICK, "--online-steps", "0", "--seed"]
    for seed, name in (("1", task), ("2", "cube-single-task2")):
        result = CliRunner().invoke(app, [name, *arguments, seed])
        assert result.exit_code == 0, result.output
        assert "1 episodes of the oracle's play" in result.output
        assert f"watch  chunkenv play {task} --agent " in result.output
        metrics = (
            tmp_path / "results" / "qc" / "manip-cube-single-task2-v0" / "qc-fql" / f"seed{seed}" / "metrics.jsonl"
        )
        assert "solve_rate" in json.loads(metrics.read_text().splitlines()[-1])
    (folder,) = (tmp_path / "results" / "data").iterdir()
    assert folder.name == "manip-cube-single-task2-play"
    assert len(load(folder).episodes.length) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-v0"], "no-such-v0"),
        (["Pendulum-v1", "--agent", "qcc"], "did you mean 'qc'"),
        (["Pendulum-v1", "--agent", "qc", "--alpha", "1"], "--alpha is no option of qc"),
        (["Pendulum-v1", "--hidden", "wide"], "hidden='wide'"),
        (["Pendulum-v1", "--hidden", "0"], "hidden='0' are no widths"),
        (["Pendulum-v1", "--hidden", "99999"], "hidden='99999' is too wide"),
        (["Pendulum-v1", "--backup", "0"], "backup=0 is too small"),
        (["Pendulum-v1", "--backup", "3"], "backup=3 is less than chunk=5"),
        (["Pendulum-v1", "--execution-horizon", "0"], "execution_horizon=0 is too small"),
        (["CartPole-v1", "--agent", "qc-fql"], "Discrete"),
        (["Pendulum-v1", "--agent", "qc-fql", "--offline-steps", "5"], "needs data"),
    ],
)
def test_one_sentence_for_what_cannot_be_meant(arguments, said, tmp_path):
    result = CliRunner().invoke(app, [*QUICK, *arguments, "--out", str(tmp_path)])
    assert isinstance(result.exception, ArgumentError)
    assert said in str(result.exception)


def test_an_id_of_the_users_own_is_not_taken_for_a_task_of_ours(monkeypatch):
    own = {name: gym.spec("Pendulum-v1") for name in ("catapult-v0", "scene-task1-v0")}
    monkeypatch.setattr(gym, "registry", {**gym.registry, **own})
    assert [read_id(name) for name in own] == list(own)
    assert [find_task(name) for name in own] == [None, None]
    assert read_id("catapult") == "chunkenv/kinetix-catapult-v0"
    assert find_task(read_id("scene-task1")).level == "manip-scene-task1"


def test_what_cannot_be_meant_is_refused_before_anything_is_collected(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["chunkenv/manip-cube-single-task2-v0", "--evaluate-every", "0"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, ArgumentError)
    assert "evaluate_every=0" in str(result.exception)
    assert not list(tmp_path.iterdir())
