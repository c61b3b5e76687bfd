"""Datasets of journeys along a line of states, in memory: what is a tick, and what is reached, is plain to see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chunkenv.data.dataset import Dataset, Episodes
from chunkenv.data.episodes import Episode, as_block

STATES = 11


def seen(states):
    """A state as it is observed: one number of `STATES` is 1."""
    return np.eye(STATES, dtype=np.float32)[states]


def journeys(*each: Sequence[int]) -> Dataset:
    """An episode for each list of states; an action is the step to the next one, over ten."""
    episodes = [Episode(seen(list(states)), *_steps(states), False, False, 0, 0) for states in each]
    block = as_block(episodes)
    lengths = block["length"]
    starts = np.cumsum(lengths, dtype=np.int64) - lengths
    table = Episodes(starts, *(block[name] for name in Episodes._fields[1:]))
    columns = {name: block[name] for name in ("observations", "actions", "rewards", "terminated", "truncated")}
    return Dataset(**columns, episode=np.repeat(np.arange(len(lengths)), lengths), episodes=table, info={})


def _steps(states: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    steps = np.diff(np.array(states)).astype(np.float32)
    return steps[:, None] / 10, np.zeros_like(steps)
