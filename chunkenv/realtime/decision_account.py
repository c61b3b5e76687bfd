"""The account of a decision, from its request to the next one: what `ChunkedExecution` returns from a step."""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chunkenv.clock import Source, TickClock, bootstrap_discount, discounted_sum
from chunkenv.utils.infos import FIRST_SUCCESS
from chunkenv.utils.types import Action, Info, Observation
from chunkenv.wrappers.tick_player import Play


class PlayedDecision(NamedTuple):
    """A decision that is over, as a step of `ChunkedExecution` returns it.

    Attributes:
        episode: its number in the run.
        tick: of its request.
        observation: of the next request, or the last one of the episode.
        reward: sum of discount**i * r_i over its ticks.
        terminated: whether the task ended in it.
        truncated: whether the episode was cut short in it.
        info: its account.
        undiscounted_reward: the sum of its ticks' rewards.
    """

    episode: int
    tick: int
    observation: Observation
    reward: float
    terminated: bool
    truncated: bool
    info: Info
    undiscounted_reward: float


class Totals(NamedTuple):
    """What a clock has counted since the reset."""

    underruns: int
    discarded: int
    overtaken: int

    @classmethod
    def of(cls, clock: TickClock) -> Totals:
        """Those of the present moment."""
        return cls(clock.underruns, clock.discarded, clock.overtaken)


class DecisionAccount:
    """What happens in a decision, tick by tick.

    Args:
        clock: the clock, just before the request is made.

    Attributes:
        delay: ticks until control had the chunk; None as long as it has not. Where rows stream: until it could act,
            known with the last of them.
        row_delays: where rows stream, int64[H]: ticks until control had each; -1 for one that never came.
        horizon: what the policy chose; None if it does not choose.
        evaluations: of the denoiser, in its inference; 0 if it failed, or the policy has no `cost`.
        fault: why there is no chunk; empty if there is one, or it is still to come.
        broken: rows that ran in place of those that a prefix had shown.
    """

    def __init__(self, clock: TickClock) -> None:
        self._clock, self._before, self.tick = clock, Totals.of(clock), clock.tick
        self.delay: int | None = None
        self.row_delays: NDArray[np.int64] | None = None
        self.horizon: int | None = None
        self.fault, self.broken, self.evaluations = "", 0, 0
        self._info: Info = {}
        self._rewards: list[float] = []
        self._actions: list[Action] = []
        self._base: list[Action] = []
        self._sources: list[Source] = []
        self._staleness: list[int] = []
        self._seen: list[Observation] = []
        self._first_success = 0

    def held(self, last: Action | None) -> Action | None:
        """What an underrun holds without its correction: the last row of this decision, else what acted `last`."""
        return self._base[-1] if self._base else last

    def add(self, action: Action, base: Action, play: Play, source: Source) -> None:
        """A tick was played, with an action that was `base` before it was corrected."""
        self._info = play.info
        self._rewards += play.rewards
        self._actions.append(action)
        self._base.append(base)
        self._sources.append(source)
        self._staleness.append(self._clock.staleness)
        self._seen += play.seen
        if play.first_success and not self._first_success:
            self._first_success = len(self._rewards)

    def summary(self, discount: float, terminated: bool, ended: bool) -> Info:
        """What every info has but for the delay, which may still be to come.

        Args:
            discount: per tick.
            terminated: whether the task ended.
            ended: whether the episode did.
        """
        clock, played = self._clock, len(self._rewards)
        if not (ended or clock.overlap):
            clock.drop_acting()  # a synchronous robot throws away what is left
        now = Totals.of(clock)
        info = self._info | {
            "ticks": played,
            "discount": bootstrap_discount(discount, played, terminated),
            "underruns": now.underruns - self._before.underruns,
            "discarded": now.discarded - self._before.discarded,
        }
        if self._first_success:
            info[FIRST_SUCCESS] = self._first_success
        if clock.max_in_flight > 1:
            overtaken = now.overtaken - self._before.overtaken
            info |= {"overtaken": overtaken, "in_flight": len(clock.in_flight), "broken_prefix": self.broken}
        return info

    def details(self, full: bool, corrected: bool) -> Info:
        """What info='actions' adds, with `full` info='full', and where actions are corrected."""
        details: Info = {
            "rewards": np.array(self._rewards, np.float64),
            "actions": copy.deepcopy(self._actions),
            "sources": np.array(self._sources, np.int64).reshape(len(self._sources), 2),
            "staleness": np.array(self._staleness, np.int64),
        }
        if corrected:
            details["base_actions"] = copy.deepcopy(self._base)
        return details | ({"observations": self._seen} if full else {})

    def reward(self, discount: float) -> float:
        """The reward of the decision."""
        return discounted_sum(self._rewards, discount)
