"""Executed actions are what happened: played without noise they bring the same observations."""

import gymnasium as gym
import numpy as np
import pytest

import chunkenv  # noqa: F401
from chunkenv.collect import collect
from chunkenv.data import Windows
from chunkenv.data.dataset_files import DataError
from chunkenv.data.executed import executed_actions
from chunkenv.errors import ArgumentError
from chunkenv.kinetix.level import used_channels
from tests.agents.experts import random_expert


@pytest.fixture(scope="module", params=["hard_lunar_lander", "mjc_swimmer"])
def dataset(request, tmp_path_factory):
    expert = random_expert(request.param, 0, 1, 0.9)
    return collect(request.param, [expert], tmp_path_factory.mktemp("data"), episodes=3, seed=100, slots=2)


def test_without_noise_they_bring_the_same_episodes(dataset):
    executed, table = executed_actions(dataset), dataset.episodes
    env = gym.make(f"chunkenv/kinetix-{dataset.info['level']}-v0", observation="compact")
    for start, length, seed in zip(table.start, table.length, table.seed, strict=True):
        seen, _ = env.reset(seed=int(seed))
        for tick in range(start, start + length):
            assert np.array_equal(seen, dataset.observations[tick])
            seen, *_ = env.step(executed[tick])


def test_the_noise_is_that_of_the_data_and_only_where_it_acts(dataset):
    away = executed_actions(dataset) - dataset.actions
    used = np.isin(np.arange(6), used_channels(dataset.info["level"]))
    assert (away[:, ~used] == 0).all()
    assert 0.03 < away[:, used].std() < 0.11  # 0.1, less what the engine clips
    assert away.dtype == np.float32


def test_windows_have_both_and_the_intended_ones_are_the_same(dataset):
    executed = executed_actions(dataset)
    both = Windows(dataset, 8, executed=executed).sample(np.random.default_rng(0), 64)
    alone = Windows(dataset, 8).sample(np.random.default_rng(0), 64)
    assert all(np.array_equal(one, other) for one, other in zip(both[:3], alone, strict=True))
    assert both[3].shape == alone[1].shape
    assert not np.array_equal(both[3], both[1])
    tick = int(dataset.episodes.start[1])
    assert np.array_equal(Windows(dataset, 8, executed=executed)[[tick]].executed[0, 0], executed[tick])


def test_what_has_no_noise_to_bring_back(dataset):
    foreign = type(dataset)(**{**vars(dataset), "info": {**dataset.info, "noise": None}})
    with pytest.raises(DataError, match="cannot be drawn again; learn from prefixes as they were intended"):
        executed_actions(foreign)
    with pytest.raises(ArgumentError, match="but the actions have"):
        Windows(dataset, 8, executed=np.zeros((3, 6), np.float32))
