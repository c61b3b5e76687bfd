from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.agents import registry
from chunkenv.data import Episode, write_episodes
from chunkenv.errors import ArgumentError, UnwritableError
from chunkenv.training.loop import resume, train
from chunkenv.training.offline_online import OfflineOnlineTraining, TrainingConfig

SMALL = dict(hidden=(8, 8), batch=8)


class Walk(gym.Env):
    """Steps along a line; reaching 1 ends the task."""

    observation_space = gym.spaces.Box(-10.0, 10.0, (2,), np.float32)
    action_space = gym.spaces.Box(-2.0, 2.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.ticks = float(self.np_random.uniform(-0.5, 0.5)), 0
        return self.seen(), {}

    def step(self, action):
        self.place, self.ticks = self.place + 0.1 * float(action[0]), self.ticks + 1
        over = self.place > 1
        return self.seen(), -1.0, over, self.ticks >= 12, {"success": over}

    def seen(self):
        return np.array([self.place, self.ticks / 12], np.float32)


gym.register("chunkenv-test/walk-v0", Walk)


def data(folder: Path):
    env, rng, episodes = Walk(), np.random.default_rng(0), []
    for seed in range(6):
        seen, actions, rewards, ended = [env.reset(seed=seed)[0]], [], [], False
        while not ended:
            actions.append(rng.uniform(-2, 2, 1).astype(np.float32))
            observation, reward, terminated, truncated, info = env.step(actions[-1])
            seen.append(observation)
            rewards.append(reward)
            ended = terminated or truncated
        rewards = np.array(rewards, np.float32)
        episodes.append(Episode(np.stack(seen), np.stack(actions), rewards, terminated, info["success"], 0, seed))
    return write_episodes(folder, episodes, {"level": None})


def config(**given: object) -> TrainingConfig:
    quick = dict(offline_steps=20, online_steps=40, evaluate_every=20, episodes=2, capacity=30)
    return TrainingConfig("chunkenv-test/walk-v0", **{**quick, **given})


def begin(folder: Path, name: str = "qc-fql", **given: object) -> OfflineOnlineTraining:
    settings = registry.settings_for(name, chunk=3, delay=1, **SMALL)
    dataset = data(folder / "data") if not (folder / "data").exists() else load_data(folder)
    return resume(OfflineOnlineTraining(config(**given), name, settings, dataset, 0), folder / "run")


def load_data(folder: Path):
    from chunkenv.data import load

    return load(folder / "data")


def state(training: OfflineOnlineTraining) -> dict[str, np.ndarray]:
    return training.agent.arrays() | training._online.arrays()


def equal(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_a_training_goes_on_to_the_bit_after_any_interruption(tmp_path):
    whole = begin(tmp_path / "a")
    lines = list(train(whole, tmp_path / "a" / "run"))
    stopped = begin(tmp_path / "b")
    for metrics in train(stopped, tmp_path / "b" / "run"):
        if metrics["steps"] > 30 and "return" in metrics:
            break
    stopped.advance()  # what is not in a file is lost, and made again
    resumed = begin(tmp_path / "b")
    assert 20 < resumed.steps < whole.steps
    list(train(resumed, tmp_path / "b" / "run"))
    assert equal(state(whole), state(resumed))
    assert "solve_rate" in lines[-1]
    assert lines[-1]["steps"] >= 60
    assert equal(registry.load_agent(tmp_path / "b" / "run" / "agent.safetensors").arrays(), whole.agent.arrays())
    with pytest.raises(ArgumentError, match="was begun with episodes=2, not 3"):
        begin(tmp_path / "b", episodes=3)


@pytest.mark.slow
def test_a_training_on_data_alone_goes_on_to_the_bit(tmp_path):
    only = dict(name="co-rft", offline_steps=300, online_steps=0, evaluate_every=100)
    whole, stopped = begin(tmp_path / "a", **only), begin(tmp_path / "b", **only)
    list(train(whole, tmp_path / "a" / "run"))
    next(train(stopped, tmp_path / "b" / "run"))
    stopped.advance()  # what is not in a file is lost, and made again
    resumed = begin(tmp_path / "b", **only)
    assert resumed.steps == 100
    list(train(resumed, tmp_path / "b" / "run"))
    assert equal(state(whole), state(resumed))


def test_a_full_disk_is_one_sentence_and_earlier_files_are_intact(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    whole = begin(tmp_path / "a")
    list(train(whole, tmp_path / "a" / "run"))
    rounds = train(begin(tmp_path / "b"), tmp_path / "b" / "run")
    assert "return" in next(rounds)
    before = (tmp_path / "b" / "run" / "agent.safetensors").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr("chunkenv.utils.files.os.fsync", full)
        with pytest.raises(UnwritableError, match=r"agent.safetensors cannot be written"):
            list(rounds)
    assert (tmp_path / "b" / "run" / "agent.safetensors").read_bytes() == before
    assert not list((tmp_path / "b" / "run").glob("*.partial"))
    resumed = begin(tmp_path / "b")
    list(train(resumed, tmp_path / "b" / "run"))
    assert equal(state(whole), state(resumed))


def test_what_really_ran_is_remembered(tmp_path):
    training = begin(tmp_path, offline_steps=0)
    env, requested = training._env, []
    step = env.step
    env.step = lambda chunk: requested.append(np.array(chunk)) or step(chunk)
    training.advance()
    ran = training._online.actions[: training.ticks, 0]
    first = requested[0][:, 0]
    assert np.allclose(ran[:4], first[:4])  # three rows of the free first cycle, and the prefix of the second
    assert np.allclose(ran[4:6], requested[1][1:3, 0])
    assert np.allclose(training._offline.actions, training._offline.actions.clip(-1, 1))
    assert training._online.observations[1, 0] == pytest.approx(training._online.observations[0, 0] + 0.2 * ran[0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(name="rlpd"), "no offline phase"),
        (dict(name="co-rft"), "online_steps=40, but co-rft learns from data alone"),
        (dict(online_steps=-1), "online_steps=-1"),
        (dict(online_steps=0, offline_steps=0), "nothing to be done"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, said, tmp_path):
    with pytest.raises(ArgumentError, match=said):
        begin(tmp_path, **given)


KILLED = """
import sys
from pathlib import Path
from tests.training import test_offline_online as here
folder = Path(sys.argv[1])
print("begins", flush=True)
for metrics in here.train(here.begun(folder), folder / "run"):
    print(metrics["steps"], "return" in metrics, flush=True)
"""


@pytest.mark.slow
def test_a_training_survives_being_killed(tmp_path):
    whole = begin(tmp_path / "a")
    list(train(whole, tmp_path / "a" / "run"))
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "b")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.split()[-1] == "True" and int(line.split()[0]) > 30:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait()
    resumed = begin(tmp_path / "b")
    list(train(resumed, tmp_path / "b" / "run"))
    assert equal(state(whole), state(resumed))


@pytest.mark.parametrize(
    ("reports", "success"),
    [([False] * 4, 0.0), ([True, False, False, None], 1.0), ([None, np.nan, None, None], None)],
    ids=["never", "not lasting", "unknown"],
)
def test_success_that_does_not_last_counts_and_unknown_success_is_left_out(tmp_path, monkeypatch, reports, success):
    step = Walk.step

    def reporting(self, action):
        *result, _ = step(self, action)
        return *result, {"is_success": reports[self.ticks % 4]}

    data(tmp_path / "data")
    monkeypatch.setattr(Walk, "step", reporting)
    lines = list(train(begin(tmp_path, offline_steps=0, warm_up=1000), tmp_path / "run"))
    assert {line.get("episode_success") for line in lines if "episode_return" in line} == {success}
    assert {line.get("solve_rate") for line in lines if "return" in line} == {success}
