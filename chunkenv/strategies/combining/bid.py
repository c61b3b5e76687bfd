"""Bidirectional decoding: draw many chunks, and keep the one that continues the last and that a good policy would give.

Liu et al. 2024, arXiv 2408.17355. The distances are those of RTC's released code (Black et al. 2025), whose baseline
this is: sums over rows of Euclidean distances, and RTC's mask in place of the original's geometric decay.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.evaluate import reset_policy
from chunkenv.request import VectorRequest
from chunkenv.strategies.costs import Cost, cost_of, costs_of_samples
from chunkenv.strategies.denoiser import SamplingPolicy, check_needs
from chunkenv.strategies.prefix_weights import SCHEDULES, request_weights
from chunkenv.strategies.requests import generators_of, read_chunks, real_rows, repeat, repeat_request
from chunkenv.strategies.strategy import Strategy
from chunkenv.utils.checks import one_of, whole_number
from chunkenv.utils.types import Observation

INSTEAD = "without several samples there is nothing to choose from; use Naive, or add it (docs/howto/strategies.md)"


class BID(Strategy[SamplingPolicy]):
    """The least costly of `samples` chunks of the policy, all drawn from the episode's own generator.

    Backward coherence: the sum over rows of prefix weight times distance to what is left of the previous chunk. Nothing
    is left at the start of an episode, or for a synchronous robot: then the first sample is kept, which is the plain
    policy's. Forward contrast, with a weak policy: the mean over `samples` of the distances to the `mode_size`
    strong chunks of the best coherence, minus that of the distances to the `mode_size` weak ones; all rows count. At
    the start of an episode all samples are in both sets.

    A policy that draws nothing from `request.rng` gives the same chunk each time, which BID returns.

    Args:
        policy: has `infer_batch`, and draws its chunks from `request.rng`.
        samples: chunks drawn per request, N.
        weak: a worse policy (an earlier checkpoint, say) with the same chunks; None for backward coherence only, as in
            RTC's study.
        mode_size: chunks in each set of the contrast, K; a third of the samples, if None.
        schedule: the prefix weights, one of `SCHEDULES`.

    Raises:
        ArgumentError: a policy without `infer_batch`, or invalid numbers.
    """

    needs = ("infer_batch",)
    instead = INSTEAD

    def __init__(
        self,
        policy: SamplingPolicy,
        samples: int = 16,
        weak: SamplingPolicy | None = None,
        mode_size: int | None = None,
        schedule: str = "exp",
    ) -> None:
        super().__init__(policy)
        self.samples = whole_number("samples", samples, at_least=1)
        self.mode_size = _check_mode_size(mode_size, self.samples, weak)
        self.schedule = one_of("schedule", schedule, SCHEDULES)
        if weak is not None:
            check_needs(weak, "BID's forward contrast", self.needs, INSTEAD)
        self.weak = weak
        strong = cost_of(policy).times(self.samples)
        self._costs = [strong if weak is None else strong.plus(cost_of(weak).times(self.samples))]

    @property
    def cost(self) -> Cost:
        """`samples` chunks of the policy, and as many of the weak one: those of the last request."""
        return self._costs[-1]

    @property
    def costs(self) -> Sequence[Cost]:
        """The same of each request of the last batch."""
        return self._costs

    def reset(self) -> None:
        """Start an episode: the policies forget the last one."""
        super().reset()
        reset_policy(self.weak)

    def infer_batch(self, observations: Observation, request: VectorRequest) -> np.ndarray:
        """The chunks chosen for many requests, [N, H, A].

        Raises:
            ArgumentError: the request has no generators.
        """
        many = repeat_request(request, self.samples, generators_of(request, "BID"))
        observations = repeat(observations, self.samples)
        strong, self._costs = self._draw(self.policy, observations, many)
        losses = self._incoherence(strong, request)
        if self.weak is not None:
            weak, costs = self._draw(self.weak, observations, many)
            self._costs = [one.plus(other) for one, other in zip(self._costs, costs, strict=True)]
            losses = losses + self._contrast(strong, losses, weak, self._incoherence(weak, request), request)
        return strong[np.arange(len(strong)), losses.argmin(axis=1)]

    def _draw(
        self, policy: SamplingPolicy, observations: Observation, many: VectorRequest
    ) -> tuple[np.ndarray, list[Cost]]:
        """The samples of each request, [N, S, H, A], and what they took, N costs."""
        chunks = read_chunks(policy.infer_batch(observations, many))
        samples = chunks.reshape(-1, self.samples, *chunks.shape[1:])
        return samples, costs_of_samples(policy, len(samples), self.samples)

    def _incoherence(self, samples: np.ndarray, request: VectorRequest) -> np.ndarray:
        """Weighted distances of samples [N, S, H, A] to what is left, [N, S]; filling does not count."""
        horizon = samples.shape[2]
        left_over = np.asarray(request.left_over)[:, None, :horizon]
        rows = left_over.shape[2]
        distances = _row_distances(samples[:, :, :rows], left_over)
        weights = request_weights(request, horizon, self.schedule)[:, None, :rows]
        real = real_rows(request.left_over_length, rows)[:, None]
        return np.where(real, weights * distances, 0.0).sum(axis=2)

    def _contrast(
        self,
        strong: np.ndarray,
        losses: np.ndarray,
        weak: np.ndarray,
        weak_losses: np.ndarray,
        request: VectorRequest,
    ) -> np.ndarray:
        """How much nearer each strong sample is to the good ones than to the bad ones, [N, S]; less is better."""
        sizes = np.where(request.left_over_length > 0, self.mode_size, self.samples)
        near = _distances_to(strong, strong, _best(losses, sizes))
        far = _distances_to(strong, weak, _best(weak_losses, sizes))
        return (near - far) / self.samples


def _row_distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Euclidean distances of rows: the last axis of [..., H, A] is gone."""
    return np.linalg.norm(one - other, axis=-1)


def _best(losses: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Which samples have the least losses, bool[N, S]; `sizes` of them in each row, the first where they are equal."""
    order = np.argsort(losses, axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable")
    return ranks < sizes[:, None]


def _distances_to(samples: np.ndarray, others: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The sum of each sample's distances to the chosen others, over all rows of the chunks, [N, S]."""
    distances = _row_distances(samples[:, :, None], others[:, None]).sum(axis=3)
    return (distances * chosen[:, None]).sum(axis=2)


def _check_mode_size(mode_size: int | None, samples: int, weak: SamplingPolicy | None) -> int:
    if mode_size is None:
        return max(samples // 3, 1)
    if weak is None:
        raise ArgumentError(f"mode_size={mode_size!r} has no effect without a weak policy; give weak=..., or leave it.")
    size = whole_number("mode_size", mode_size, at_least=1)
    if size > samples:
        raise ArgumentError(f"mode_size={size} is more than samples={samples}; choose one from 1 to {samples}.")
    return size
