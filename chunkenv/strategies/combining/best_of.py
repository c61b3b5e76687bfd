"""Best of N: draw many chunks, and keep the one that a critic values most.

How agents of the Q-chunking family act (Li, Zhou and Levine 2025, arXiv 2507.07969), over any policy: with `RTC` below
it, all candidates go on from what is left of the previous chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from chunkenv.errors import ArgumentError
from chunkenv.request import Chunk, VectorRequest
from chunkenv.strategies.costs import Cost, cost_of, costs_of_samples
from chunkenv.strategies.denoiser import SamplingPolicy
from chunkenv.strategies.requests import generators_of, read_chunks, repeat, repeat_request
from chunkenv.strategies.strategy import Strategy
from chunkenv.utils.checks import whole_number
from chunkenv.utils.types import Observation


class BestOf(Strategy[SamplingPolicy]):
    """The most valuable of `samples` chunks of the policy, all drawn from the episode's own generator.

    Args:
        policy: has `infer_batch`, and draws its chunks from `request.rng`.
        values: `values(observations, chunks)` of [N, ...] and [N, H, A] gives the value of each chunk, [N].
        samples: chunks drawn per request.

    Raises:
        ArgumentError: a policy without `infer_batch`, or invalid numbers.
    """

    needs = ("infer_batch",)
    instead = "without several samples there is nothing to choose from; use the policy alone"

    def __init__(
        self, policy: SamplingPolicy, values: Callable[[Observation, Chunk], ArrayLike], samples: int = 32
    ) -> None:
        super().__init__(policy)
        if not callable(values):
            raise ArgumentError(f"values={values!r} cannot be called; give a function of observations and chunks.")
        self.values = values
        self.samples = whole_number("samples", samples, at_least=1)
        self._costs = [cost_of(policy).times(self.samples)]

    @property
    def cost(self) -> Cost:
        """`samples` chunks of the policy, those of the last request; what the critic takes is not counted."""
        return self._costs[-1]

    @property
    def costs(self) -> Sequence[Cost]:
        """The same of each request of the last batch."""
        return self._costs

    def infer_batch(self, observations: Observation, request: VectorRequest) -> np.ndarray:
        """The chunks chosen for many requests, [N, H, A].

        Raises:
            ArgumentError: the request has no generators, or the critic's values are not one number a chunk.
        """
        many = repeat_request(request, self.samples, generators_of(request, "BestOf"))
        repeated = repeat(observations, self.samples)
        chunks = read_chunks(self.policy.infer_batch(repeated, many))
        self._costs = costs_of_samples(self.policy, len(request.tick), self.samples)
        values = _check_values(self.values(repeated, chunks), len(chunks)).reshape(-1, self.samples)
        chosen = np.arange(len(values)) * self.samples + values.argmax(axis=1)
        return chunks[chosen]


def _check_values(values: ArrayLike, count: int) -> np.ndarray:
    """A number for each chunk, none of them NaN, which would be chosen.

    >>> _check_values([1, 2], 2)
    array([1, 2])
    """
    array = np.asarray(values)
    if array.shape != (count,) or np.isnan(array).any():
        raise ArgumentError(
            f"The values have shape {array.shape} and {np.isnan(array).sum()} NaN among them; "
            f"give one number for each of {count} chunks."
        )
    return array
