"""A latency with memory: calm or congested for a while."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.latency.arguments import assign, share_of
from chunkenv.latency.model import Draw, LatencyModel, State, agreed, checked_draw, model_of


@dataclass(frozen=True)
class Bursty(LatencyModel):
    """A network that is calm or congested for a while: a two-state Markov chain over two models.

    Every draw comes from the model of the present state; after it the state may change. An episode starts in either
    state with the share of draws that the chain spends there in the long run, so that the first draw is like any other.

    Args:
        calm: model of the calm state (or its spec).
        congested: model of the congested state (or its spec).
        enter: probability, after a calm draw, that the next one is congested.
        leave: probability, after a congested draw, that the next one is calm; a burst lasts 1 / leave draws on average.
    """

    calm: LatencyModel
    congested: LatencyModel
    enter: float
    leave: float
    rows: int | None = field(init=False, default=None, repr=False, compare=False)
    recorded_dt: float | None = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        assign(self, calm=model_of("calm", self.calm), congested=model_of("congested", self.congested))
        assign(self, rows=agreed("rows", [self.calm.rows, self.congested.rows]))
        assign(self, recorded_dt=agreed("recorded_dt", [self.calm.recorded_dt, self.congested.recorded_dt]))
        assign(self, enter=share_of("enter", self.enter), leave=share_of("leave", self.leave))
        if self.enter + self.leave == 0.0:
            raise ArgumentError(
                "enter=0.0 and leave=0.0 never change the state; give one above 0, or use one model alone."
            )

    @property
    def congestion(self) -> float:
        """The share of congested draws in the long run."""
        return self.enter / (self.enter + self.leave)

    def begin(self, rng: np.random.Generator) -> State:
        """Whether it is congested, the state of the calm model, and that of the congested one."""
        return bool(rng.random() < self.congestion), self.calm.begin(rng), self.congested.begin(rng)

    def begin_episode(self, rng: np.random.Generator, episode: int) -> State:
        """As `begin`, both models in the same episode."""
        congested = bool(rng.random() < self.congestion)
        return congested, self.calm.begin_episode(rng, episode), self.congested.begin_episode(rng, episode)

    def draw(self, rng: np.random.Generator, state: State) -> tuple[Draw, State]:
        """A draw of the present state's model."""
        congested, calm_state, congested_state = state
        if congested:
            seconds, congested_state = checked_draw(self.congested, rng, congested_state)
        else:
            seconds, calm_state = checked_draw(self.calm, rng, calm_state)
        changes = rng.random() < (self.leave if congested else self.enter)
        return seconds, (congested != changes, calm_state, congested_state)

    def mean(self) -> float:
        """The means of both, by the share of their draws."""
        share = self.congestion
        return (1.0 - share) * self.calm.mean() + share * self.congested.mean()

    def quantile(self, q: float) -> float:
        """Known at q = 0: the least of the states that are entered."""
        if share_of("q", q) > 0.0:
            return super().quantile(q)
        entered = [self.congested] * (self.congestion > 0.0) + [self.calm] * (self.congestion < 1.0)
        return min(model.quantile(0.0) for model in entered)
