import os
import signal
import subprocess
import sys
import time

import pytest
import typer
from typer.testing import CliRunner

from chunkenv.agents import load_best_expert
from chunkenv.cli import train
from chunkenv.errors import ArgumentError
from chunkenv.training.metrics import read_metrics

TINY = ["--steps", "16384", "--envs", "16"]


def invoke(*words):
    return CliRunner(env={"COLUMNS": "100", "TERM": "dumb"}).invoke(train.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("experts")
    return out, invoke("ppo", "catapult", *TINY, "--out", out)


def test_a_training_leaves_checkpoints_and_metrics(trained):
    out, result = trained
    assert result.exit_code == 0, result.output
    folder = out / "catapult" / "seed0"
    best = load_best_expert(folder)
    assert f"step{best.steps}.safetensors" in result.output
    assert f"solves {best.solve_rate:.1%} of 256 episodes at best" in result.output
    assert read_metrics(folder / "metrics.jsonl")[-1]["steps"] == 16384
    assert not list(folder.glob("*.partial"))


def test_the_same_command_again_does_nothing_more(trained):
    out, _ = trained
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    result = invoke("ppo", "chunkenv/kinetix-catapult-v0", *TINY, "--out", out)
    assert "catapult, seed 0: goes on from 16,384 of 16,384 steps." in result.output
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")} == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["catapullt"], "There is no Kinetix level 'catapullt': did you mean 'catapult'?"),
        (["CartPole-v1"], "There is no Kinetix level 'CartPole-v1': choose one of 'grasp_easy', "),
        (["catapult", "--reward", "dense"], "reward='dense' is unknown; choose one of"),
        (["catapult", "--envs", "0"], "envs=0 is too small"),
        (["catapult", "--seed", "-1"], "seed=-1 is too small"),
        (["catapult", "--steps", "10"], "steps=10 are less than one rollout"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words, sentence, tmp_path):
    result = invoke("ppo", *words, "--out", tmp_path)
    assert isinstance(result.exception, ArgumentError)
    assert sentence in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_other_settings_do_not_go_on_with_a_training(trained):
    out, _ = trained
    result = invoke("ppo", "catapult", *TINY, "--reward", "sparse", "--out", out)
    assert "was begun with reward='distance', not 'sparse'; give the same, or another folder" in str(result.exception)


def test_the_command_starts_without_jax():
    script = "import sys; import chunkenv.cli.train.ppo; assert not {'jax', 'numba', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_jax_that_is_missing_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "jax", None)
    result = invoke("ppo", "catapult", "--out", tmp_path)
    assert 'jax is not installed: run `pip install "chunkenv[agents]"`.' in str(result.exception)


def test_it_is_a_group_that_other_commands_join():
    assert {command.name or command.callback.__name__ for command in train.app.registered_commands} >= {"ppo"}
    assert isinstance(train.app, typer.Typer)


@pytest.mark.slow
def test_a_command_that_is_killed_goes_on(trained, tmp_path):
    words = ["ppo", "catapult", "--steps", "2000000", "--envs", "64", "--out", str(tmp_path)]
    script = f"from chunkenv.cli.train import app; app({words})"
    process = subprocess.Popen([sys.executable, "-c", script])
    folder = tmp_path / "catapult" / "seed0"
    deadline = time.monotonic() + 300
    while not (folder / "resume.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    result = invoke(*words)
    assert "goes on from 249,856 of 2,000,000 steps" in result.output
    assert read_metrics(folder / "metrics.jsonl")[-1]["steps"] == 1_998_848
