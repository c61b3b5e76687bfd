"""Episodes of a dataset are played again: that proves that its columns are what happened."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym
import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.data.dataset_files import DataError
from chunkenv.registration import environment_of
from chunkenv.utils.checks import whole_number
from chunkenv.wrappers.action_noise import ActionNoise


def verify_episodes(dataset: Dataset, count: int) -> list[str]:
    """Play episodes again, spread evenly over the dataset, and name those that are not the same, to the bit.

    Another processor, or another version of numba, may round differently: then chaotic levels diverge, which proves
    nothing against the data.

    Args:
        dataset: as `collect`, `collect_plans` and `collect_oracle` make it.
        count: how many episodes; all, if there are fewer.

    Raises:
        DataError: the dataset does not name its level or its noise.
    """
    whole_number("count", count, at_least=1)
    made, noise = environment_of(dataset.info), dataset.info.get("noise")
    if made is None or noise is None:
        level = dataset.info.get("level")
        raise DataError(f"The dataset is of level {level!r} with noise {noise!r}, which cannot be played again.")
    world = gym.make(made.id, disable_env_checker=True, **made.arguments)
    env = ActionNoise(world, noise) if noise else world
    episodes = len(dataset.episodes.length)
    chosen = np.unique(np.linspace(0, episodes - 1, min(count, episodes)).astype(np.int64)).tolist()
    return [problem for number in chosen for problem in _find_difference(env, dataset, number)]


def _find_difference(env: gym.Env, dataset: Dataset, number: int) -> Iterator[str]:
    """The first tick of an episode that differs when it is played again."""
    table = dataset.episodes
    start, length = int(table.start[number]), int(table.length[number])
    observation, info = env.reset(seed=int(table.seed[number]))
    for tick in range(start, start + length):
        if not np.array_equal(observation, dataset.observations[tick]):
            yield f"Episode {number} comes out otherwise: its observation differs in tick {tick - start}."
            return
        observation, reward, terminated, truncated, info = env.step(dataset.actions[tick])
        cut = truncated and not dataset.truncated[tick]  # who collects may stop an episode sooner than its limit does
        if cut or (reward, terminated) != (dataset.rewards[tick], dataset.terminated[tick]):
            yield f"Episode {number} comes out otherwise: its reward or end differs in tick {tick - start}."
            return
    if not np.array_equal(observation, table.final_observation[number]) or info["success"] != table.success[number]:
        yield f"Episode {number} comes out otherwise: its last observation or its success differs."
