import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from chunkenv.agents import load_flow_policy
from chunkenv.cli.app import app
from chunkenv.data import write_episodes
from chunkenv.strategies import SoftTrainingTimeRTC
from chunkenv.training import imitation
from tests.data.making import LEVEL, episode, info, small_dataset

SHORT = ["--updates", "4"]


@pytest.fixture
def data(tmp_path):
    small_dataset(tmp_path / "data", lengths=(20, 30))
    return tmp_path / "data"


def invoke(*words):
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, ["train", "flow", *map(str, words)])


def arguments(data, out, *more):
    return [LEVEL, "--data", str(data), "--out", str(out), *more]


def test_it_trains_and_says_where_the_policy_is(data, tmp_path):
    result = invoke(*arguments(data, tmp_path / "out", "--prefix-conditioned", "--max-prefix", "2", *SHORT))
    assert result.exit_code == 0, result.output
    policy = load_flow_policy(tmp_path / "out" / LEVEL / "prefix" / "seed0" / "policy.safetensors")
    assert "policy.safetensors" in result.output
    assert (policy.level, policy.max_prefix, policy.facts["updates"]) == (LEVEL, 2, 4)
    described = policy.facts["data"]
    assert (described["transitions"], described["episodes"], described["noise"]) == (50, 2, 0.1)
    assert described["solve_rate"] == 0.5


def test_a_prefix_conditioned_policy_can_begin_with_a_plain_one(data, tmp_path):
    assert invoke(*arguments(data, tmp_path / "out", *SHORT)).exit_code == 0
    plain = tmp_path / "out" / LEVEL / "plain" / "seed0" / "policy.safetensors"
    prefixes = ["--prefix-conditioned", "--prefix-decay", "0.5", "--start-from", plain]
    result = invoke(*arguments(data, tmp_path / "out", *prefixes, *SHORT))
    assert result.exit_code == 0, result.output
    policy = load_flow_policy(tmp_path / "out" / LEVEL / "prefix" / "seed0" / "policy.safetensors")
    assert policy.prefix_conditioned
    assert policy.facts["start"]["updates"] == policy.facts["updates"]


@pytest.mark.slow
def test_it_learns_from_future_states(tmp_path):
    write_episodes(tmp_path / "data", [episode(20, seed, size=42) for seed in range(3)], info())
    result = invoke(*arguments(tmp_path / "data", tmp_path / "out", "--future-offsets", "2", *SHORT))
    assert result.exit_code == 0, result.output
    policy = load_flow_policy(tmp_path / "out" / LEVEL / "vlash" / "seed0" / "policy.safetensors")
    assert (policy.facts["future_offsets"], policy.prefix_conditioned) == (2, False)


def test_a_soft_policy_says_so(data, tmp_path):
    words = arguments(data, tmp_path / "out", "--prefix-conditioned", "--intended-prefix", "--soft-rows", "3", *SHORT)
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    policy = load_flow_policy(tmp_path / "out" / LEVEL / "soft-prefix" / "seed0" / "policy.safetensors")
    assert (policy.max_prefix, policy.soft_rows) == (4, 3)
    SoftTrainingTimeRTC(policy)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["catapult"], "has demonstrations of 'chain_lander', not of 'catapult'"),
        ([LEVEL, "--prediction-horizon", "3", "--prefix-conditioned"], "max_prefix=4 leaves no row of 3"),
        ([LEVEL, "--updates", "0"], "updates=0 is too small"),
        ([LEVEL, "--max-prefix", "2"], "--max-prefix is about prefixes, which only --prefix-conditioned learns from"),
        ([LEVEL, "--intended-prefix"], "--intended-prefix is about prefixes"),
        ([LEVEL, "--soft-rows", "2"], "--soft-rows is about prefixes"),
        ([LEVEL, "--future-offsets", "4", "--prefix-conditioned"], "are two ways to learn of a delay; give one"),
        ([LEVEL, "--future-offsets", "4"], "robot is bool[42], but observations have 3 numbers"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(data, tmp_path, words, message):
    result = invoke(*words, "--data", data, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_weights(data, tmp_path, monkeypatch):
    monkeypatch.setattr(imitation, "ROUND", 100)  # as in the other process
    words = ["--updates", "1500"]
    assert invoke(*arguments(data, tmp_path / "whole", *words)).exit_code == 0
    command = [sys.executable, "-c", "from chunkenv.cli import main; main()", "train", "flow"]
    process = subprocess.Popen([*command, *arguments(data, tmp_path / "killed", *words)])
    unfinished = tmp_path / "killed" / LEVEL / "plain" / "seed0" / "resume.safetensors"
    while not unfinished.exists():
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    result = invoke(*arguments(data, tmp_path / "killed", *words))
    assert "goes on from" in result.output
    whole, killed = (
        load_flow_policy(tmp_path / name / LEVEL / "plain" / "seed0" / "policy.safetensors")
        for name in ("whole", "killed")
    )
    weights, again = whole.flow.weights, killed.flow.weights
    assert all((weights[name] == again[name]).all() for name in weights)
    lines = (unfinished.parent / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 15
