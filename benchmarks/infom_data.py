"""Play towards four hidden intentions: the data of `infom.py`.

    python benchmarks/infom_data.py data/infom-play --transitions 200000 --seed 100 --workers 2
    python benchmarks/infom_data.py data/infom-labelled --transitions 60000 --seed 101 --workers 2
    python benchmarks/infom_data.py data/infom-held-out --transitions 10000 --seed 102 --workers 2

In each episode the oracle moves the cube again and again to places in one of four regions of the table, drawn for the
episode. Which one is kept in the table of episodes, as the `expert` that played; no observation has it, and no training
reads it. A collection that was interrupted goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np

import chunkenv
from chunkenv.collect.collection import Collection
from chunkenv.data import Dataset, Episode
from chunkenv.data.shards import CollectionSize
from chunkenv.evaluate import episode_seed
from chunkenv.manipulation.oracles.cubes import EDGE, plan_grasp
from chunkenv.manipulation.oracles.oracle import Oracle
from chunkenv.manipulation.oracles.random_subgoals import AREAS
from chunkenv.manipulation.oracles.subgoal import Facts, SubGoal
from chunkenv.utils.seeding import spawn

LEVEL, FAMILY = "manip-cube-single-task2", "cube-single"
REGIONS = ("near right", "near left", "far right", "far left")
ARGUMENTS = {"reward": "count"}
BLOCK = 8


class IntentionPlayer:
    """Plays episodes, each with an intention of its own.

    Args:
        seed: of the dataset.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._env = gym.make(f"chunkenv/{LEVEL}-v0", **ARGUMENTS)

    def play(self, numbers: Sequence[int]) -> list[Episode]:
        """The episodes with these numbers, in this order."""
        return [self._episode(episode_seed(self._seed, number)) for number in numbers]

    def _episode(self, seed: int) -> Episode:
        rng, env = spawn(seed, "policy"), self._env
        intention = int(rng.integers(len(REGIONS)))
        oracle = Oracle(FAMILY, "plan", rng, partial(draw_subgoal, intention, rng))
        observations, actions, rewards = [env.reset(seed=seed)[0]], [], []
        terminated = truncated = False
        while not (terminated or truncated):
            actions.append(oracle.act(env.unwrapped.facts()))  # pyright: ignore[reportAttributeAccessIssue]
            observation, reward, terminated, truncated, _ = env.step(actions[-1])
            observations.append(observation)
            rewards.append(reward)
        columns = np.stack(observations), np.stack(actions), np.array(rewards, np.float32)
        return Episode(*columns, terminated, terminated, intention, seed)


def draw_subgoal(intention: int, rng: np.random.Generator, facts: Facts) -> SubGoal:
    """The cube to a place in the intention's region."""
    lowest, highest = (np.array(corner) for corner in AREAS["cube"])
    half = (highest - lowest) / 2
    corner = lowest + half * (intention // 2, intention % 2)
    place = rng.uniform(corner, corner + half)
    return plan_grasp(facts, 0, (*place.tolist(), EDGE / 2))


def collect(folder: Path, transitions: int, seed: int, workers: int) -> Dataset:
    """Collect at least so many ticks, or open what is there."""
    recipe = {
        "level": LEVEL,
        "observation": "features",
        "experts": [{"name": name} for name in REGIONS],
        "noise": 0.0,
        "seed": seed,
        "chunkenv": chunkenv.__version__,
        "arguments": ARGUMENTS,
    }
    size, command = CollectionSize(None, transitions), f"benchmarks/infom_data.py --seed {seed}"
    return Collection(partial(IntentionPlayer, seed), BLOCK, recipe, folder, size, workers).finish(command, None)


def main() -> None:
    """Collect one dataset."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--transitions", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    dataset = collect(options.folder, options.transitions, options.seed, options.workers)
    print(f"{len(dataset)} ticks, {np.mean(dataset.episodes.success):.0%} of the episodes solved by chance")


if __name__ == "__main__":
    main()
