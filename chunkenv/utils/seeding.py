"""Random streams of this package, so that latency and noise never change the environment's randomness."""

from __future__ import annotations

import numpy as np

PURPOSES = (
    "latency",
    "action_delay",
    "observation_delay",
    "action_noise",
    "policy",
    "episode",
    "correction",
    "exploration",
)


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


class Stream:
    """The stream of one wrapper over its episodes: a reset with a seed restarts it, one without a seed continues it.

    Args:
        purpose: one of `PURPOSES`.
        depth: how many wrappers of the same kind lie inside this one.

    >>> stream = Stream("latency")
    >>> first, second = stream.begin(seed=0).random(), stream.begin(seed=None).random()
    >>> first == second, first == stream.begin(seed=0).random()
    (False, True)
    """

    def __init__(self, purpose: str, depth: int = 0) -> None:
        self._purpose, self._depth = purpose, depth
        self._rng: np.random.Generator | None = None

    def begin(self, seed: int | None) -> np.random.Generator:
        """The generator of the episode that begins with a reset with `seed`."""
        if seed is not None or self._rng is None:
            self._rng = spawn(seed, self._purpose, self._depth)
        return self._rng
