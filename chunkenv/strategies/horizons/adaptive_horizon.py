"""Execution horizons that are chosen for each chunk: shorter where samples of the policy disagree, or at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chunkenv.request import Policy, VectorRequest
from chunkenv.strategies.costs import Cost, cost_of, costs_of_samples
from chunkenv.strategies.denoiser import SamplingPolicy
from chunkenv.strategies.horizons.rolling_threshold import RollingThreshold, choices_of
from chunkenv.strategies.requests import generators_of, read_chunks, repeat, repeat_request
from chunkenv.strategies.strategy import Strategy, ask
from chunkenv.utils.checks import real_number, whole_number
from chunkenv.utils.types import Observation


class AdaptiveHorizon(Strategy[SamplingPolicy]):
    """Executes the first of `samples` chunks up to the row on which they disagree more than usual.

    A row's spread is the standard deviation over the samples, averaged over the numbers of an action;
    `RollingThreshold` says what is usual. Needs an environment with `execution_horizon=(low, high)`. Where there is
    nothing to choose, one chunk is drawn.

    The policy may be another strategy: with `RTC` below it, all samples go on from what is left of the last chunk. It
    is told the least horizon, so that its mask ends where the rows left end.

    Args:
        policy: has `infer_batch`, and draws its chunks from `request.rng`.
        samples: chunks drawn per request, at least 2.
        alpha: standard deviations above the mean that are unusual.
        window: decisions that say what is usual.

    Raises:
        ArgumentError: a policy without `infer_batch`, or invalid numbers.
    """

    needs = ("infer_batch",)
    instead = "without several samples there is nothing to compare; add it, or keep to one execution horizon"

    def __init__(self, policy: SamplingPolicy, samples: int = 4, alpha: float = 1.0, window: int = 5) -> None:
        super().__init__(policy)
        self.samples = whole_number("samples", samples, at_least=2)
        self._threshold = RollingThreshold(alpha, window)
        self._costs = [cost_of(policy).times(self.samples)]

    @property
    def cost(self) -> Cost:
        """What all samples of the last decision took."""
        return self._costs[-1]

    @property
    def costs(self) -> Sequence[Cost]:
        """What all samples of each decision of the last batch took."""
        return self._costs

    def reset(self) -> None:
        """Start an episode in every row."""
        super().reset()
        self._threshold.forget()

    def infer_batch(self, observations: Observation, request: VectorRequest) -> tuple[np.ndarray, np.ndarray]:
        """The chunks for many requests, [N, H, A], and how long each is executed, int64[N].

        Raises:
            ArgumentError: the request has no generators or no horizons to choose from, or the batch has another size
                than the one before it.
        """
        low, high = choices_of(request)
        count = self.samples if low < high else 1
        told = request._replace(execution_horizon=low)
        many = repeat_request(told, count, generators_of(request, "AdaptiveHorizon"))
        chunks = read_chunks(self.policy.infer_batch(repeat(observations, count), many))
        self._costs = costs_of_samples(self.policy, len(request.tick), count)
        samples = chunks.reshape(-1, count, *chunks.shape[1:])
        spread = samples.std(axis=1).mean(axis=-1)
        return samples[:, 0], self._threshold.horizons(spread, request)


class RandomHorizon(Strategy[Policy]):
    """The two whole horizons next to a mean, at random: what a method that chooses horizons is to be compared with.

    It has as many inferences, for no reason. A horizon is drawn after the chunk: the policy's noise is what it would be
    without it.

    Args:
        policy: anything with `infer`.
        mean: of the horizons, in ticks, between those that may be chosen.

    Raises:
        ArgumentError: no policy, or a mean below 1.
    """

    def __init__(self, policy: Policy, mean: float) -> None:
        super().__init__(policy)
        self.mean = real_number("mean", mean, at_least=1.0)

    def infer_batch(self, observations: Observation, request: VectorRequest) -> tuple[np.ndarray, np.ndarray]:
        """The chunks for many requests, [N, H, ...], and how long each is executed, int64[N].

        Raises:
            ArgumentError: the request has no generators, or no horizons to choose from.
        """
        low, high = choices_of(request)
        chunks = ask(self.policy, observations, request._replace(execution_horizon=low))
        generators = generators_of(request, "RandomHorizon")
        horizons = np.array([int(self.mean + rng.random()) for rng in generators], np.int64)
        return chunks, np.clip(horizons, low, high)
