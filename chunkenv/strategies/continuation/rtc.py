"""Real-Time Chunking: each chunk is inpainted around what is left of the last (Black et al. 2025, arXiv 2506.07339)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chunkenv.request import VectorRequest
from chunkenv.strategies.costs import Cost, cost_of_velocities
from chunkenv.strategies.denoiser import SAMPLING, Array, Denoiser
from chunkenv.strategies.prefix_weights import SCHEDULES, request_weights
from chunkenv.strategies.requests import draw_noise, generators_of, plan_left
from chunkenv.strategies.strategy import Strategy
from chunkenv.utils.checks import one_of, real_number
from chunkenv.utils.euler import euler
from chunkenv.utils.types import Observation


def guidance_weight(time: float, max_guidance: float) -> float:
    """How strongly the guidance pulls at flow time `time` in [0, 1): equations 2 to 4 of the paper, clipped.

    (1 - t) / t times 1 / r^2, r^2 = (1 - t)^2 / (t^2 + (1 - t)^2): the variance that a clean action has, given the
    noisy one, if actions are standard Gaussian. At time 0 it is infinite, so that `max_guidance` is returned.

    >>> guidance_weight(0.0, 5.0), guidance_weight(0.5, 5.0), guidance_weight(0.5, 1.0)
    (5.0, 2.0, 1.0)
    """
    if time == 0.0:
        return max_guidance
    unclipped = (1 - time) / time * (time**2 + (1 - time) ** 2) / (1 - time) ** 2
    return min(unclipped, max_guidance)


def guided_velocity(
    denoiser: Denoiser,
    observations: Observation,
    chunks: Array,
    time: float,
    plan: Array,
    weights: Array,
    max_guidance: float,
) -> Array:
    """The velocity that also leads to `plan`, in the framework's own arrays.

    v + guidance weight * VJP(weights * (plan - x1)), where x1 = chunks + (1 - time) * v is the clean chunk that the
    denoiser expects, and VJP multiplies with the transposed Jacobian of x1 in `chunks`.

    Args:
        denoiser: has `velocity_vjp`.
        observations: [N, ...].
        chunks: the noisy chunks, [N, H, A].
        time: flow time in [0, 1).
        plan: what is left of the previous chunks in the network's space, [N, H, A].
        weights: of the plan's rows, [N, H, 1].
        max_guidance: the clip.
    """
    velocity, pullback = denoiser.velocity_vjp(observations, chunks, time)
    error = weights * (plan - (chunks + (1 - time) * velocity))
    correction = error + (1 - time) * pullback(error)  # x1 is chunks + (1 - time) * velocity: so is its Jacobian
    return velocity + guidance_weight(time, max_guidance) * correction


@dataclass(frozen=True)
class GuidedEuler:
    """The loop from noise to a guided chunk, with operators only; equal loops may share one compilation.

    Attributes:
        steps: Euler steps.
        max_guidance: the clip.
    """

    steps: int
    max_guidance: float

    def __call__(
        self, denoiser: Denoiser, observations: Observation, noise: Array, plan: Array, weights: Array
    ) -> Array:
        """The clean chunks in the network's space, [N, H, A]."""

        def velocity(chunks: Array, time: float) -> Array:
            return guided_velocity(denoiser, observations, chunks, time, plan, weights, self.max_guidance)

        return euler(velocity, noise, self.steps)


class RTC(Strategy[Denoiser]):
    """Guides the policy's flow to what is left of the previous chunk: firmly where rows are frozen, softly after them.

    The mask (`prefix_weights`) depends on each request's delay estimate, execution horizon and rows left. Where it is 0
    everywhere (at the start of an episode, say) there is nothing to guide to: that chunk is the plain policy's, to
    the bit, in any batch. The noise is what the plain policy would draw: methods are paired.

    Args:
        policy: a `Denoiser` with `velocity_vjp`.
        schedule: the mask, one of `SCHEDULES`; the paper's is 'exp'.
        max_guidance: the clip of the guidance weight, at least 0; the paper's is 5.

    Raises:
        ArgumentError: the policy lacks something, or an invalid argument.
    """

    needs = ("velocity_vjp", *SAMPLING)
    instead = "add it (docs/howto/strategies.md and examples/torch_flow_policy.py show how), or use Naive or BID"

    def __init__(self, policy: Denoiser, schedule: str = "exp", max_guidance: float = 5.0) -> None:
        super().__init__(policy)
        self.schedule = one_of("schedule", schedule, SCHEDULES)
        self.max_guidance = real_number("max_guidance", max_guidance, at_least=0.0)
        self._sample = policy.compile(GuidedEuler(policy.steps, self.max_guidance))

    @property
    def cost(self) -> Cost:
        """Of a guided chunk: each Euler step is an evaluation and a vector-Jacobian product."""
        steps = self.policy.steps
        return cost_of_velocities(self.policy, steps, steps)

    def infer_batch(self, observations: Observation, request: VectorRequest) -> np.ndarray:
        """The chunks for many requests, [N, H, A]: one call into what the policy compiled for guided ones.

        Raises:
            ArgumentError: the request has no generators, or its chunks are not the policy's.
        """
        plan = plan_left(request, self.policy.prediction_horizon, self.policy.action_size)
        weights = request_weights(request, self.policy.prediction_horizon, self.schedule)

        def guide(noise: np.ndarray) -> np.ndarray:
            chunks = self._sample(observations, noise, self.policy.to_network(plan), weights[:, :, None])
            return np.asarray(self.policy.to_actions(chunks))

        return guide_where(self, np.any(weights > 0, axis=1), guide, observations, request)


class HardMasking(RTC):
    """RTC that knows of the frozen rows only (the schedule 'zeros'): the ablation of its paper.

    Args:
        policy: as `RTC` has it.
        max_guidance: as `RTC` has it.
    """

    def __init__(self, policy: Denoiser, max_guidance: float = 5.0) -> None:
        super().__init__(policy, "zeros", max_guidance)


def guide_where(
    strategy: Strategy[Denoiser],
    guided: NDArray[np.bool_],
    guide: Callable[[np.ndarray], np.ndarray],
    observations: Observation,
    request: VectorRequest,
) -> np.ndarray:
    """Guided chunks for some requests; those of all others are the plain policy's, to the bit, in any batch.

    Each chunk draws once from its own generator: methods are paired.

    Args:
        strategy: whose policy makes the plain chunks.
        guided: which requests, bool[N].
        guide: makes chunks [N, H, A] of noise float32[N, H, A].
        observations: [N, ...].
        request: with N generators.

    Returns:
        [N, H, A].

    Raises:
        ArgumentError: the request has no generators.
    """
    policy, generators = strategy.policy, generators_of(request, type(strategy).__name__)
    if not guided.any():
        return policy.infer_batch(observations, request)
    noise = draw_noise(_replace_others(guided, generators), policy.prediction_horizon, policy.action_size)
    chunks = guide(noise)
    if guided.all():
        return chunks
    plain = policy.infer_batch(observations, request._replace(rng=_replace_others(~guided, generators)))
    return np.where(guided[:, None, None], chunks, plain)


def _replace_others(
    members: NDArray[np.bool_], generators: tuple[np.random.Generator, ...]
) -> tuple[np.random.Generator, ...]:
    """The generators of `members`, and a spare one for all others: each chunk may draw from its own only once."""
    spare = np.random.default_rng(0)
    return tuple(rng if member else spare for rng, member in zip(generators, members, strict=True))
