"""What a chunk costs: evaluations, floating point operations, and seconds on this machine."""

from __future__ import annotations

import time
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chunkenv.request import Policy, Request
from chunkenv.utils.checks import whole_number
from chunkenv.utils.types import Observation

VJP_EVALUATIONS = 1
"""What pulling a cotangent back through the denoiser costs, in evaluations of it.

A layer x -> W x is one product with W forward, and one with its transpose, of the same size, back to x. The gradient of
the weights, which makes training's backward pass cost two, is never formed. The forward pass that a vector-Jacobian
product shares with its velocity is counted as an evaluation. Products of activations with one another (attention) cost
two backward. Time is measured, not counted: `benchmarks/strategy_costs.py`.
"""


class Cost(NamedTuple):
    """What one chunk costs.

    Attributes:
        evaluations: of the denoiser (of the whole policy, if it doesn't denoise), for one observation.
        vjps: vector-Jacobian products of the denoiser.
        flops: floating point operations, the products counted; None if unknown.
    """

    evaluations: int
    vjps: int
    flops: int | None

    def times(self, count: int) -> Cost:
        """What `count` such chunks cost.

        >>> Cost(5, 0, 10).times(2)
        Cost(evaluations=10, vjps=0, flops=20)
        """
        return Cost(self.evaluations * count, self.vjps * count, None if self.flops is None else self.flops * count)

    def plus(self, other: Cost) -> Cost:
        """What both cost together."""
        flops = None if self.flops is None or other.flops is None else self.flops + other.flops
        return Cost(self.evaluations + other.evaluations, self.vjps + other.vjps, flops)


def cost_of(policy: object) -> Cost:
    """What a chunk of a policy costs (the last, where they differ), by its own attributes.

    These are its `cost`, or its `steps` and `flops_per_evaluation`.
    """
    cost = getattr(policy, "cost", None)
    return cost if isinstance(cost, Cost) else cost_of_velocities(policy, getattr(policy, "steps", 1), 0)


def cost_of_velocities(policy: object, velocities: int, vjps: int) -> Cost:
    """What so many velocities, and vector-Jacobian products of them, of a flow policy cost.

    A velocity may take several evaluations of the network: `evaluations_per_velocity` of the policy. What it computes
    once for an observation, before all velocities, are its `flops_per_observation`.

    >>> from types import SimpleNamespace
    >>> cost_of_velocities(SimpleNamespace(evaluations_per_velocity=2, flops_per_evaluation=10), 5, 0)
    Cost(evaluations=10, vjps=0, flops=100)
    >>> cost_of_velocities(SimpleNamespace(flops_per_evaluation=10, flops_per_observation=7), 5, 0).flops
    57
    """
    each = getattr(policy, "evaluations_per_velocity", 1)
    cost = denoising_cost(each * velocities, each * vjps, getattr(policy, "flops_per_evaluation", None))
    return cost.plus(Cost(0, 0, getattr(policy, "flops_per_observation", 0)))


def costs_of_samples(policy: object, requests: int, samples: int) -> list[Cost]:
    """What the samples of each request took together: the last batch of the policy had `samples` chunks of each.

    The chunks may differ in cost (`costs` of the policy).

    >>> from types import SimpleNamespace
    >>> costs_of_samples(SimpleNamespace(costs=[Cost(1, 0, 5), Cost(2, 0, 9), Cost(4, 0, 0), Cost(4, 0, 0)]), 2, 2)
    [Cost(evaluations=3, vjps=0, flops=14), Cost(evaluations=8, vjps=0, flops=0)]
    """
    each = getattr(policy, "costs", None)
    if not each:
        return [cost_of(policy).times(samples)] * requests
    return [reduce(Cost.plus, each[first : first + samples]) for first in range(0, len(each), samples)]


def denoising_cost(evaluations: int, vjps: int, flops_per_evaluation: int | None) -> Cost:
    """What so many evaluations and vector-Jacobian products of a denoiser cost.

    >>> denoising_cost(5, 5, 100)
    Cost(evaluations=5, vjps=5, flops=1000)
    """
    if flops_per_evaluation is None:
        return Cost(evaluations, vjps, None)
    return Cost(evaluations, vjps, (evaluations + VJP_EVALUATIONS * vjps) * int(flops_per_evaluation))


def measure_latency(
    policy: Policy, observation: Observation, request: Request, repeats: int = 50, warm_up: int = 3
) -> NDArray[np.float64]:
    """Wall seconds of each of a number of inferences, float64[repeats]: what `chunkenv.latency.Trace` replays.

    Args:
        policy: has `infer(observation, request)`.
        observation: the same one each time.
        request: with a generator in `rng`; with rows left, if what the policy does with them is to be measured.
        repeats: inferences that are measured.
        warm_up: inferences before them, which compile what is compiled.

    Raises:
        ArgumentError: repeats that are no whole number of at least 1, or a warm-up below 0.
    """
    repeats = whole_number("repeats", repeats, at_least=1)
    warm_up = whole_number("warm_up", warm_up, at_least=0)
    seconds = np.zeros(warm_up + repeats)
    for index in range(len(seconds)):
        start = time.perf_counter()
        policy.infer(observation, request)
        seconds[index] = time.perf_counter() - start
    return seconds[warm_up:]
