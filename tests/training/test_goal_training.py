"""Training for goals on a line: to the bit after an interruption, and with sentences for what cannot be."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.agents import registry
from chunkenv.data import Episode, write_episodes
from chunkenv.errors import ArgumentError
from chunkenv.training.goal_training import GoalTraining, GoalTrainingConfig
from chunkenv.training.loop import resume, train

SMALL = dict(hidden=(8, 8), batch=8, samples=4, steps=3)


class Place(gym.Env):
    """A place in the plane that is to be reached: what is achieved is the place, and its speed is seen beside it."""

    observation_space = gym.spaces.Dict(
        {
            "observation": gym.spaces.Box(-9, 9, (4,), np.float32),
            "achieved_goal": gym.spaces.Box(-9, 9, (2,), np.float32),
            "desired_goal": gym.spaces.Box(-9, 9, (2,), np.float32),
        }
    )
    action_space = gym.spaces.Box(-2.0, 2.0, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.goal, self.ticks = self.np_random.uniform(-1, 1, 2), self.np_random.uniform(-1, 1, 2), 0
        self.speed = np.zeros(2)
        return self.seen(), {}

    def step(self, action):
        self.speed = 0.1 * np.asarray(action)
        self.place, self.ticks = self.place + self.speed, self.ticks + 1
        solved = bool(np.linalg.norm(self.place - self.goal) < 0.2)
        return self.seen(), float(solved), solved, self.ticks >= 12, {"success": solved}

    def seen(self):
        observation = np.concatenate([self.place, self.speed]).astype(np.float32)
        return {
            "observation": observation,
            "achieved_goal": observation[:2],
            "desired_goal": self.goal.astype(np.float32),
        }

    def achieved_goals(self, observations):
        return observations[..., :2]

    def compute_reward(self, achieved, desired, info):
        return (np.linalg.norm(achieved - desired, axis=-1) < 0.2).astype(float)


class Secretive(Place):
    """Does not say what of an observation is a goal."""

    achieved_goals = None


gym.register("chunkenv-test/place-v0", Place)
gym.register("chunkenv-test/secretive-v0", Secretive)


def data(folder, size=4):
    rng, episodes = np.random.default_rng(0), []
    for seed in range(8):
        actions = rng.uniform(-2, 2, (10, 2)).astype(np.float32)
        seen = np.cumsum(rng.normal(size=(11, size)), axis=0).astype(np.float32)
        episodes.append(Episode(seen, actions, np.zeros(10, np.float32), False, False, 0, seed))
    return write_episodes(folder, episodes, {"level": None})


def begin(folder, dataset, id="chunkenv-test/place-v0", ahead=4, **given):
    config = GoalTrainingConfig(id, updates=40, evaluate_every=20, episodes=2)
    arm = {name: given.pop(name) for name in ("hierarchy", "values") if name in given}
    settings = registry.settings_for("sharsa", chunk=2, delay=1, backup=ahead, **SMALL, **arm)
    return resume(GoalTraining(config, "sharsa", settings, dataset, 0), folder)


@pytest.mark.no_cover
def test_a_training_goes_on_to_the_bit_after_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr("chunkenv.training.goal_training.ROUND", 10)
    dataset = data(tmp_path / "data")
    whole = begin(tmp_path / "a", dataset)
    lines = list(train(whole, tmp_path / "a"))
    assert {"solve_rate", "spearman", "flow_loss", "critic_loss"} <= {*lines[-1]}
    stopped = begin(tmp_path / "b", dataset)
    for metrics in train(stopped, tmp_path / "b"):
        if "return" in metrics:
            break
    stopped.advance()  # what is not in a file is lost, and made again
    resumed = begin(tmp_path / "b", dataset)
    assert resumed.steps == 20
    list(train(resumed, tmp_path / "b"))
    one, other = whole.agent.arrays(), resumed.agent.arrays()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert resumed.spearman == whole.spearman == lines[-1]["spearman"]
    loaded = registry.load_agent(tmp_path / "b" / "agent.safetensors")
    assert loaded.settings.goal_size == 2
    assert all(np.array_equal(one[name], array) for name, array in loaded.arrays().items())


def test_without_values_there_is_nothing_to_rank(tmp_path):
    training = begin(tmp_path / "a", data(tmp_path / "data"), values=False)
    assert "spearman" not in training.evaluate()


def test_actions_are_learned_in_units(tmp_path):
    dataset = data(tmp_path / "data")
    batch = begin(tmp_path / "a", dataset)._windows.sample(np.random.default_rng(0), 64)
    assert 0.8 < np.abs(batch.chunks).max() <= 1
    assert np.abs(dataset.actions).max() > 1.5


@pytest.mark.parametrize(
    ("id", "size", "ahead", "said"),
    [
        ("chunkenv-test/place-v0", 3, 4, "The data have observations of 3 numbers"),
        ("chunkenv-test/secretive-v0", 4, 4, "achieved_goals"),
        ("Pendulum-v1", 4, 4, "needs a Dict of vectors with 'observation' and 'desired_goal'"),
        ("chunkenv-test/place-v0", 4, 40, "The longest episode has 10 ticks"),
    ],
)
def test_one_sentence_for_what_cannot_be_learned(tmp_path, id, size, ahead, said):
    with pytest.raises(ArgumentError, match=said):
        begin(tmp_path / "a", data(tmp_path / "data", size), id, ahead)


def test_other_trainings_do_not_take_it():
    agent = registry.create("sharsa", 0, 6, 2, registry.settings_for("sharsa", hidden=(8,)))
    with pytest.raises(ArgumentError, match="chunkenv train sharsa"):
        agent.experience(None)
