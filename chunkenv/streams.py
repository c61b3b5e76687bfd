"""Random streams of our own, so that latency and noise never change the world's randomness."""

from __future__ import annotations

import numpy as np

PURPOSES = ("latency", "action_delay", "observation_delay", "action_noise", "policy", "episode")


def spawn(seed: int | None, purpose: str, depth: int = 0) -> np.random.Generator:
    """A generator for one purpose, independent of the environment's and of every other purpose's.

    The seed is what `numpy.random.SeedSequence(seed).spawn` gives its child `PURPOSES.index(purpose)`, spawned again.

    Args:
        seed: the reset seed; None draws fresh entropy.
        purpose: one of `PURPOSES`.
        depth: how many wrappers of the same kind lie inside this one, so that two of them do not share noise.

    >>> spawn(0, "latency").random() == spawn(0, "latency").random()
    True
    >>> spawn(0, "latency").random() == spawn(0, "action_noise").random()
    False
    """
    key = (PURPOSES.index(purpose), depth)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
