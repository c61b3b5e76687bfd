"""How long a chunk, a backup and a delay are: what the windows of the Q-chunking family look like.

An inference that starts at tick t and takes d ticks decides the actions of ticks t+d .. t+d+h-1: the d before them are
decided already (the prefix). With requests every h ticks the process is Markov in (observation, prefix), and

    Q(o_t, a_t .. a_{t+d+h-1}) = r_t + gamma r_{t+1} + ... + gamma^n V(o_{t+n}, a_{t+n} .. a_{t+n+d-1}),

which holds for *executed* actions whichever inference they came from, and without off-policy bias if the critic takes
all actions that the rewards follow from: n = h (Li, Zhou and Levine 2025, Q-chunking, arXiv 2507.07969; d = 0 there).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from chunkenv.clock import bootstrap_discount
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import real_number, true_or_false, whole_number


@dataclass(frozen=True)
class Horizons:
    """The lengths, all in ticks.

    Attributes:
        chunk: actions that one inference decides, h.
        backup: rewards in the critic's target, n; h for an unbiased one. More than h is the uncorrected n-step return
            where h = 1, and the critic's own chunk in decoupled Q-chunking.
        delay: ticks that an inference takes, d <= h: it must decide as much as is played before the next one is there.
        prefix: whether policy and critic see the d actions that are decided already; without them the process is not
            Markov.
        discount: per tick.

    Raises:
        ArgumentError: for invalid lengths.

    >>> Horizons(chunk=5, backup=5, delay=2).prediction_horizon
    7
    """

    chunk: int = 5
    backup: int = 5
    delay: int = 0
    prefix: bool = True
    discount: float = 0.99

    def __post_init__(self) -> None:
        for name, least in (("chunk", 1), ("backup", 1), ("delay", 0)):
            whole_number(name, getattr(self, name), at_least=least)
        true_or_false("prefix", self.prefix)
        real_number("discount", self.discount, at_least=0.0, at_most=1.0)
        if self.delay > self.chunk:
            raise ArgumentError(
                f"delay={self.delay} is more than chunk={self.chunk}: while an inference takes {self.delay} ticks, "
                f"{self.chunk} actions run out; use longer chunks."
            )
        if self.backup < self.chunk:
            raise ArgumentError(f"backup={self.backup} is less than chunk={self.chunk}; give at least as much.")

    @property
    def prediction_horizon(self) -> int:
        """Rows that a policy predicts, H = h + d; while it thinks the first d of them run out."""
        return self.chunk + self.delay

    @property
    def rows(self) -> int:
        """Rows of a window: what the rewards follow from, and the prefix after them."""
        return self.backup + self.delay

    @property
    def seen(self) -> slice:
        """The predicted rows that policy and critic see."""
        return slice(0 if self.prefix else self.delay, self.prediction_horizon)

    @property
    def seen_prefix(self) -> int:
        """Rows of the prefix that policy and critic see: d, or 0."""
        return self.delay if self.prefix else 0

    def ticks_of(self, played: np.ndarray) -> np.ndarray:
        """Ticks of the backup in a window that goes on after `played` ticks: the prefix after them must be known."""
        return np.clip(played - self.delay, 0, self.backup)

    def discounts(self, ticks: np.ndarray, terminated: np.ndarray) -> np.ndarray:
        """What the value after so many ticks is multiplied by, float32, of any shape.

        >>> Horizons(discount=0.5).discounts(np.array([2, 2]), np.array([False, True]))
        array([0.25, 0.  ], dtype=float32)
        """
        return _bootstraps(self.discount, self.backup)[ticks, terminated.astype(np.int64)]


@lru_cache
def _bootstraps(discount: float, most: int) -> np.ndarray:
    """What the clock says for 0 .. most ticks, without and with a termination: float32[most + 1, 2]."""
    table = [[bootstrap_discount(discount, ticks, ended) for ended in (False, True)] for ticks in range(most + 1)]
    return np.array(table, np.float32)
