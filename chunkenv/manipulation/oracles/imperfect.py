"""A demonstrator that makes mistakes: it pauses, makes detours, and in some episodes gives up.

Offline reinforcement learning from demonstrations (CO-RFT, arXiv 2508.02219) has nothing to rank where all of them are
clean and fast. Here it is known how imperfect they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.manipulation.oracles.oracle import Oracle
from chunkenv.manipulation.oracles.subgoal import Facts
from chunkenv.utils.checks import real_number

SHORTEST, LONGEST = 4, 12
"""Ticks of a pause or a detour; each number of them is as likely."""
MEAN = (SHORTEST + LONGEST) / 2
FIRST_TICKS = 16
"""In an episode that fails it gives up within these: sooner than any task can be done."""
REST = 20
"""Ticks that are kept after it has given up."""
SPEED = 0.5
"""Of a detour, as a share of the fastest motion."""


@dataclass(frozen=True)
class Imperfection:
    """How imperfect demonstrations are.

    Attributes:
        pauses: the share of ticks, until it gives up, in which nothing moves.
        detours: the share of these ticks in which the gripper goes astray, slowly, in a direction of its own.
        failures: the share of episodes in which it gives up.

    Raises:
        ArgumentError: a share is none, or pauses and detours leave no time to act.

    >>> Imperfection(pauses=0.2, failures=0.1).detours
    0.0
    """

    pauses: float = 0.0
    detours: float = 0.0
    failures: float = 0.0

    def __post_init__(self) -> None:
        for name in ("pauses", "detours", "failures"):
            real_number(name, getattr(self, name), at_least=0.0, at_most=1.0)
        if self.pauses + self.detours >= 1:
            raise ArgumentError(
                f"pauses={self.pauses} and detours={self.detours} leave no time to act; give shares that add up to "
                "less than 1."
            )


class ImperfectOracle:
    """An oracle that pauses, makes detours and gives up, in shares of its ticks and episodes.

    Args:
        oracle: what it does otherwise.
        imperfection: how often.
        rng: what everything random is drawn from.

    Attributes:
        over: whether it gave up so long ago that the rest is not worth keeping.
    """

    def __init__(self, oracle: Oracle, imperfection: Imperfection, rng: np.random.Generator) -> None:
        self._oracle, self._imperfection, self._rng = oracle, imperfection, rng
        self._chances = begin_chances(imperfection)
        self.reset()

    def reset(self) -> None:
        """Begin an episode."""
        self._oracle.reset()
        fails = self._rng.uniform() < self._imperfection.failures
        self._gives_up = int(self._rng.integers(FIRST_TICKS)) if fails else None
        self._tick, self._left = 0, 0
        self._lapse = self._last = np.zeros(5, np.float32)

    @property
    def over(self) -> bool:
        """As in the list of attributes."""
        return self._gives_up is not None and self._tick >= self._gives_up + REST

    def act(self, facts: Facts) -> np.ndarray:
        """The action for what is now, float32[5] in [-1, 1]."""
        self._tick += 1
        if self._gives_up is not None and self._tick > self._gives_up:
            return self._oracle.leave(facts)
        if not self._left:
            self._begin_lapse()
        if self._left:
            self._left -= 1
            return self._lapse
        self._last = self._oracle.act(facts)
        return self._last

    def _begin_lapse(self) -> None:
        """Perhaps begin a pause or a detour, with the fingers as they are."""
        drawn = self._rng.uniform()
        if drawn >= sum(self._chances):
            return
        self._left = int(self._rng.integers(SHORTEST, LONGEST + 1))
        astray = drawn >= self._chances[0]
        self._lapse = np.array([*(_direction(self._rng) if astray else (0, 0, 0)), 0, self._last[4]], np.float32)


def begin_chances(imperfection: Imperfection) -> tuple[float, float]:
    """How likely a pause and a detour begin where one might: they take several ticks each, an action takes one.

    >>> begin_chances(Imperfection(pauses=0.5))
    (0.1111111111111111, 0.0)
    """
    lapses = imperfection.pauses + imperfection.detours
    per_share = 1 / (MEAN - lapses * (MEAN - 1))
    return imperfection.pauses * per_share, imperfection.detours * per_share


def _direction(rng: np.random.Generator) -> tuple[float, float, float]:
    """Anywhere, and up: what lies on the table stays there."""
    angle = rng.uniform(0, 2 * np.pi)
    return SPEED * float(np.cos(angle)), SPEED * float(np.sin(angle)), SPEED / 2
