"""ogbench's npz files, made here in their form, since the real ones cannot be had without a network."""

import re

import gymnasium as gym
import numpy as np
import pytest
from typer.testing import CliRunner

import chunkenv  # noqa: F401
from chunkenv.cli.data import app
from chunkenv.data import load
from chunkenv.data.check import check_dataset
from chunkenv.data.coverage import find_attempts, map_visits, measure_coverage
from chunkenv.data.dataset_files import DataError
from chunkenv.errors import ArgumentError

pytest.importorskip("ogbench")
from chunkenv.data.formats.ogbench import from_ogbench
from chunkenv.manipulation.oracles.oracle import Oracle

TASK = "manip-cube-single-task1"
SIZES = {"observations": (28,), "actions": (5,), "terminals": ()}
AFTER = 3
"""Ticks that the robot goes on after its success."""


def trajectory(seed):
    """One as ogbench publishes them: it does not end with success, and its last action was not executed."""
    env = gym.make(f"chunkenv/{TASK}-v0").unwrapped
    observation, _ = env.reset(seed=seed)
    oracle, observations, actions, rest = Oracle("cube-single"), [], [], AFTER
    while rest:
        observations.append(observation)
        actions.append(oracle.act(env.facts()))
        env.world.play(actions[-1])
        observation = env._observe()
        rest -= bool(env.world.successes().all())
    return np.array([*observations, observation]), np.array([*actions, np.zeros(5, np.float32)])


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    path = tmp_path_factory.mktemp("ogbench") / "cube-single-play-v0.npz"
    pieces = [trajectory(seed) for seed in (0, 1)]
    ends = [np.arange(len(actions)) == len(actions) - 1 for _, actions in pieces]
    observations, actions = (np.concatenate(column) for column in zip(*pieces, strict=True))
    np.savez(path, observations=observations, actions=actions, terminals=np.concatenate(ends).astype(np.float32))
    return path, observations, actions, np.concatenate(ends)


def test_every_transition_is_there_and_ends_are_the_tasks(published, tmp_path):
    path, observations, actions, ends = published
    dataset = from_ogbench(path, TASK, tmp_path / "data")
    assert check_dataset(tmp_path / "data") == []
    assert len(load(tmp_path / "data")) == (~ends).sum()
    assert np.array_equal(dataset.observations, observations[~ends])
    assert np.array_equal(dataset.actions, actions[~ends])
    assert dataset.episodes.length.tolist()[1:3] == [1, 1]  # what it did after the success
    assert dataset.episodes.success.sum() == 2 * AFTER == dataset.terminated.sum()
    assert np.array_equal(dataset.rewards == 0, dataset.terminated)


def test_a_trajectory_without_success_is_truncated(published, tmp_path):
    path, *_ = published
    dataset = from_ogbench(path, "manip-cube-single-task5", tmp_path / "data", "sparse")
    assert dataset.truncated.sum() == 2
    assert not dataset.terminated.any()
    assert dataset.info["arguments"] == {"reward": "sparse"}


def test_ticks_in_which_a_success_lasts_are_no_attempts(published, tmp_path):
    path, *_ = published
    dataset = from_ogbench(path, TASK, tmp_path / "data")
    attempts = find_attempts(dataset)
    assert attempts.tolist() == 2 * [True, *[False] * (AFTER - 1)]
    assert (dataset.episodes.length[~attempts] == 1).all()
    told = CliRunner().invoke(app, ["info", str(tmp_path / "data")], env={"COLUMNS": "100"}).output
    assert re.search(r"cube-single-play-v0\.npz +2 +2 +1\.000 ", told)
    assert re.search(r"all +2 +2 +1\.000 ", told)
    assert f"{2 * (AFTER - 1)} more episodes begin where the task is solved already" in told


def test_where_nothing_was_tried_there_is_no_rate(published, tmp_path):
    """Only the ticks in which the success lasts."""
    path, observations, actions, ends = published
    last = np.flatnonzero(ends)[0]
    part = slice(last - AFTER + 1, last + 1)
    np.savez(tmp_path / path.name, observations=observations[part], actions=actions[part], terminals=ends[part])
    from_ogbench(tmp_path / path.name, TASK, tmp_path / "data")
    told = CliRunner().invoke(app, ["info", str(tmp_path / "data")], env={"COLUMNS": "100"}).output
    assert re.search(r"all +0 +0 +nan ", told)


def test_coverage_counts_what_held(published, tmp_path):
    path, *_ = published
    dataset = from_ogbench(path, TASK, tmp_path / "data")
    cube, whole = measure_coverage(dataset)
    assert (cube.name, whole.name) == ("cube 0", "all at once")
    assert cube.episodes == whole.episodes == 2 * AFTER
    # Each success is seen twice, but the last of a trajectory: at an episode's end and at the next one's beginning.
    seen = len(dataset) + len(dataset.episodes.length)
    assert whole.ticks == pytest.approx((2 * AFTER + 2 * (AFTER - 1)) / seen)
    assert map_visits(dataset).shape == (7, 14)
    assert 0.9 < map_visits(dataset).sum() <= 1.0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"actions": np.zeros((3, 6))}, "none of cube-single"),
        ({"terminals": np.zeros(3)}, "no end of a trajectory"),
        ({"terminals": np.array([0, 1, 0])}, "no end of a trajectory in its last row"),
        ({key: np.zeros((0, *rest)) for key, rest in SIZES.items()}, "no end of a trajectory in its last row"),
        ({"terminals": np.ones(3)}, "There are no episodes; a dataset needs at least one"),
        ({"observations": np.zeros((4, 28))}, "different lengths: {'observations': 4, 'actions': 3, 'terminals': 3}"),
        ({"actions": np.zeros((2, 5))}, "different lengths: {'observations': 3, 'actions': 2, 'terminals': 3}"),
        ({"terminals": np.ones(5)}, "different lengths: {'observations': 3, 'actions': 3, 'terminals': 5}"),
        ({"actions": np.full((3, 5), "a")}, "'actions': '<U1\\[5\\]'.*none of cube-single"),
        ({"observations": np.full((3, 28), 1e300)}, "not finite as float32"),
        ({"observations": np.full((3, 28), np.nan)}, "not finite"),
    ],
)
def test_files_that_make_no_sense(change, sentence, tmp_path):
    sound = {"observations": np.zeros((3, 28)), "actions": np.zeros((3, 5)), "terminals": np.array([0, 0, 1])}
    np.savez(tmp_path / "file.npz", **(sound | change))
    with pytest.raises(DataError, match=sentence):
        from_ogbench(tmp_path / "file.npz", TASK, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_damaged_file(published, tmp_path):
    (tmp_path / "file.npz").write_bytes(published[0].read_bytes()[:1000])
    with pytest.raises(DataError, match="damaged"):
        from_ogbench(tmp_path / "file.npz", TASK, tmp_path / "data")


def test_mistakes_are_named(published, tmp_path):
    with pytest.raises(ArgumentError, match="There is no manipulation task 'catapult'"):
        from_ogbench(published[0], "catapult", tmp_path / "data")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(ArgumentError, match="not empty"):
        from_ogbench(published[0], TASK, tmp_path / "full")
