"""`chunkenv train cfgrl`: its forms, a kill in the middle, and sentences for invalid arguments."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from chunkenv.agents import load_agent
from chunkenv.cli.train.cfgrl import cfgrl
from chunkenv.data import Episode, write_episodes
from chunkenv.errors import ArgumentError

app = typer.Typer()
app.command()(cfgrl)

QUICK = ["--updates", "200", "--evaluate-every", "100", "--episodes", "1", "--hidden", "8", "--chunk", "2"]


def pendulum(folder):
    rng, episodes = np.random.default_rng(0), []
    for seed in range(4):
        seen, actions = rng.normal(size=(21, 3)).astype(np.float32), rng.uniform(-2, 2, (20, 1)).astype(np.float32)
        episodes.append(Episode(seen, actions, rng.normal(size=20).astype(np.float32), False, False, 0, seed))
    write_episodes(folder, episodes, {"level": "Pendulum-v1"})
    return folder


@pytest.mark.slow
def test_rewards_are_enough_and_a_kill_changes_nothing(tmp_path):
    data = str(pendulum(tmp_path / "data"))
    arguments = ["Pendulum-v1", "--data", data, *QUICK, "--delay", "1", "--out"]
    result = CliRunner().invoke(app, [*arguments, str(tmp_path / "whole")])
    assert result.exit_code == 0, result.output
    command = [sys.executable, "-m", "chunkenv.cli.main", "train", "cfgrl", *arguments, str(tmp_path / "killed")]
    folder = tmp_path / "killed" / "Pendulum-v1" / "advantage" / "seed0"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not (folder / "resume.safetensors").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = CliRunner().invoke(app, [*arguments, str(tmp_path / "killed")])
    assert again.exit_code == 0, again.output
    one, other = (
        load_agent(tmp_path / run / "Pendulum-v1" / "advantage" / "seed0" / "agent.safetensors").arrays()
        for run in ("whole", "killed")
    )
    assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["goal", "subgoals"])
def test_play_of_a_family_is_enough(tmp_path, form):
    pytest.importorskip("ogbench")
    from chunkenv.collect import collect_oracle

    collect_oracle("manip-cube-single-task1", "play", tmp_path / "data", episodes=2)
    arguments = ["--data", str(tmp_path / "data"), *QUICK, "--updates", "2", "--form", form, "--out", str(tmp_path)]
    result = CliRunner().invoke(app, ["cube-single", *arguments])
    assert result.exit_code == 0, result.output
    folder = tmp_path / "manip-cube-single-v0" / form / "seed0"
    assert "solve_rate" in json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert load_agent(folder / "agent.safetensors").settings.form == form
    assert "--guidance 3" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-task"], "no-such-task"),
        (["cube-single", "--form", "reward"], "form='reward' is unknown"),
        (["cube-single", "--form", "advantage"], "cube-single-v0 changes its goal"),
        (["cube-single", "--ahead", "5"], "--ahead is an option of --form subgoals, not of goal"),
        (["cube-single", "--expectile", "0.7"], "--expectile is an option of --form advantage, not of goal"),
        (["Pendulum-v1", "--form", "goal"], "needs a Dict of vectors with 'observation' and 'desired_goal'"),
        (["Pendulum-v1", "--guidance", "inf"], "inf"),
        (["Pendulum-v1", "--chunk", "30", "--hidden", "wide"], "hidden='wide'"),
    ],
)
def test_one_sentence_for_what_cannot_be_meant(arguments, said, tmp_path):
    data = pendulum(tmp_path / "data")
    result = CliRunner().invoke(app, [*arguments, "--data", str(data), "--out", str(tmp_path)])
    assert result.exit_code != 0
    if isinstance(result.exception, SystemExit):
        assert said in result.output
    else:
        assert isinstance(result.exception, ArgumentError)
        assert said in str(result.exception)
