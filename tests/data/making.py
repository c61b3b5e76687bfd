"""Datasets and experts for tests."""

from dataclasses import dataclass

import numpy as np

from chunkenv.data.dataset import Dataset, Episodes, ShardSlice, write_dataset
from chunkenv.data.episodes import Episode, as_block

LEVEL = "chain_lander"
COLUMNS = ("observations", "actions", "rewards", "terminated", "truncated", "episode")


def episode(length, seed=0, success=True, expert=0, size=3):
    """Values that differ everywhere, so that no two rows can be taken for one another."""
    rng = np.random.default_rng([seed, length])
    return Episode(
        rng.standard_normal((length + 1, size)).astype(np.float32),
        rng.standard_normal((length, 6)).astype(np.float32),
        rng.standard_normal(length).astype(np.float32),
        terminated=success,
        success=success,
        expert=expert,
        seed=seed,
    )


def slices(lengths, experts=2, in_a_slice=2):
    episodes = [episode(length, index, index % 3 > 0, index % experts) for index, length in enumerate(lengths)]
    for start in range(0, len(episodes), in_a_slice):
        block = as_block(episodes[start : start + in_a_slice])
        yield ShardSlice(block.__getitem__, len(block["rewards"]), len(block["length"]))


def info(experts=2):
    names = [{"name": f"expert{index}", "sha256": ""} for index in range(experts)]
    return {"level": LEVEL, "observation": "compact", "experts": names, "noise": 0.1, "seed": 0, "command": "made"}


def small_dataset(folder, lengths=(3, 2, 5, 1), experts=2):
    return write_dataset(folder, list(slices(lengths, experts)), info(experts))


def in_memory(lengths):
    """The dataset of `small_dataset`, without files."""
    (whole,) = slices(lengths, in_a_slice=len(lengths))
    starts = np.cumsum(lengths) - lengths
    table = Episodes(starts, *(whole.read(name) for name in Episodes._fields[1:]))
    columns = {name: whole.read(name) for name in COLUMNS[:-1]}
    return Dataset(**columns, episode=np.repeat(np.arange(len(lengths)), lengths), episodes=table, info=info())


def same(one, other):
    """Whether two datasets are equal to the bit."""
    pairs = [(getattr(one, name), getattr(other, name)) for name in COLUMNS]
    pairs += list(zip(one.episodes, other.episodes, strict=True))
    return all(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in pairs)


@dataclass
class Waver:
    """Acts by what it sees: a fixed random map for each seed."""

    seed: int = 0

    def actions(self, observations):
        rng = np.random.default_rng(self.seed)
        weights = rng.standard_normal((observations.shape[1], 6)).astype(np.float32)
        return np.tanh(observations @ weights)


@dataclass
class Placed(Waver):
    """An action depends on its place in the batch, as the last bits do with BLAS: `ReproducibleExpert` prevents it."""

    def actions(self, observations):
        places = np.arange(len(observations), dtype=np.float32)[:, None]
        return np.tanh(super().actions(observations) + 1e-3 * places)


@dataclass
class Company(Waver):
    """An answer hangs on the other rows of the batch: a mistake."""

    def actions(self, observations):
        return np.tanh(super().actions(observations) + observations.mean())
