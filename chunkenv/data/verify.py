"""Episodes of a dataset, played again: the proof that its columns are what happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.data.dataset_files import DataError
from chunkenv.data.environments import environment_of
from chunkenv.utils.checks import whole_number
from chunkenv.wrappers.action_noise import ActionNoise


def replay(dataset: Dataset, count: int) -> list[str]:
    """Play episodes again, spread evenly over the dataset, and say which do not come out the same, to the bit.

    Another processor, or another version of numba, may round otherwise: then chaotic levels part, and that proves
    nothing against the data.

    Args:
        dataset: as `collect`, `collect_plans` and `collect_oracle` make it.
        count: how many episodes; all, if there are fewer.

    Raises:
        DataError: it is not said which level it is of, or with which noise.
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
    return [problem for number in chosen for problem in _differences(env, dataset, number)]


def _differences(env: gym.Env[Any, Any], dataset: Dataset, number: int) -> Iterator[str]:
    """The first tick of an episode that comes out otherwise."""
    table = dataset.episodes
    start, length = int(table.start[number]), int(table.length[number])
    seen, info = env.reset(seed=int(table.seed[number]))
    for tick in range(start, start + length):
        if not np.array_equal(seen, dataset.observations[tick]):
            yield f"Episode {number} comes out otherwise: its observation differs in tick {tick - start}."
            return
        seen, reward, terminated, truncated, info = env.step(dataset.actions[tick])
        found = (reward, terminated, truncated)
        if found != (dataset.rewards[tick], dataset.terminated[tick], dataset.truncated[tick]):
            yield f"Episode {number} comes out otherwise: its reward or end differs in tick {tick - start}."
            return
    if not np.array_equal(seen, table.final_observation[number]) or info["success"] != table.success[number]:
        yield f"Episode {number} comes out otherwise: its last observation or its success differs."
