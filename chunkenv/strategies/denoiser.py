"""What strategies need of a flow policy, in any framework: the denoiser and its vector-Jacobian product.

A denoiser's velocity carries noise (flow time 0) to data (flow time 1). A diffusion policy has one too: with the mean
prediction x1 of a chunk from x at time t, the velocity of the straight path is (x1 - x) / (1 - t).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.evaluate import check_policy
from chunkenv.request import BatchPolicy, Policy
from chunkenv.utils.types import Observation

Array: TypeAlias = Any
"""Of the policy's framework: NumPy, JAX or PyTorch."""

Loop: TypeAlias = Callable[..., Array]
"""`loop(denoiser, *arrays)`: from noise to chunks, with operators only."""


class SamplingPolicy(Policy, BatchPolicy, Protocol):
    """What answers one request or many; `infer_batch` draws row i from `request.rng[i]`."""


class Denoiser(SamplingPolicy, Protocol):
    """A flow policy that strategies can guide. `chunks` are always in the network's own, normalised, action space.

    Row i of `infer_batch` has the noise `request.rng[i].standard_normal((H, A), numpy.float32)`.

    Arrays are of the policy's framework (NumPy, JAX, PyTorch): strategies use nothing but operators on them, inside a
    loop that the policy itself compiles.

    Attributes:
        prediction_horizon: rows in a chunk, H.
        action_size: numbers in a row, A.
        steps: Euler steps from noise to data.
        flops_per_evaluation: floating point operations of one evaluation of its network for one observation. A velocity
            is one evaluation, or as many as an attribute `evaluations_per_velocity` says.
    """

    prediction_horizon: int
    action_size: int
    steps: int
    flops_per_evaluation: int

    def velocity(self, observations: Observation, chunks: Array, time: float) -> Array:
        """The velocity [N, H, A] of `chunks` [N, H, A] at flow time `time` in [0, 1)."""
        ...

    def velocity_vjp(
        self, observations: Observation, chunks: Array, time: float
    ) -> tuple[Array, Callable[[Array], Array]]:
        """The velocity, and the function that multiplies a [N, H, A] with its transposed Jacobian in `chunks`."""
        ...

    def compile(self, loop: Loop) -> Loop:
        """`loop(denoiser, *arrays)` as a function of NumPy arrays that returns a NumPy array.

        The first array is the observations, which a loop does nothing with but hand them to the denoiser. So a policy
        may give the loop a denoiser and observations that have gone through the first layer of the network already.
        The loops of this package are frozen dataclasses: equal ones compare equal and hash alike, so that what was
        compiled for one can serve for all.
        """
        ...

    def to_network(self, actions: np.ndarray) -> np.ndarray:
        """Actions as the network has them, elementwise (NumPy)."""
        ...

    def to_actions(self, chunks: np.ndarray) -> np.ndarray:
        """The inverse of `to_network` (NumPy)."""
        ...


class PrefixDenoiser(Denoiser, Protocol):
    """A denoiser that was trained to continue clean prefixes.

    Attributes:
        prefix_conditioned: True.
        max_prefix: the rows of the longest prefix that it was trained with.
    """

    prefix_conditioned: bool
    max_prefix: int

    def velocity(
        self, observations: Observation, chunks: Array, time: float, prefix_length: Array | None = None
    ) -> Array:
        """The velocity, given that the first `prefix_length` (int32[N]) rows of the chunks are clean."""
        ...


class SoftDenoiser(PrefixDenoiser, Protocol):
    """A denoiser that was trained to continue prefixes behind which further rows are given in part.

    Attributes:
        soft_rows: the most such rows that it was trained with.
    """

    soft_rows: int

    def velocity(
        self,
        observations: Observation,
        chunks: Array,
        time: float,
        prefix_length: Array | None = None,
        prefix_weights: Array | None = None,
    ) -> Array:
        """The velocity by each row's own flow time, which goes from its weight (float32[N, H]; 1 is clean) to 1."""
        ...


MEANINGS = {
    "infer_batch": "infer_batch(observations, request): many answers at once, each drawn from a generator of its own",
    "velocity": "velocity(observations, chunks, time): the denoiser",
    "velocity_vjp": "velocity_vjp(observations, chunks, time): the denoiser and its vector-Jacobian product",
    "observation_jvp": "observation_jvp(observations, noise, directions): its chunks and their derivatives",
    "compile": "compile(loop): a loop over the denoiser as a function of NumPy arrays",
    "to_network": "to_network(actions): actions in the network's own space",
    "to_actions": "to_actions(chunks): the inverse of to_network",
    "steps": "steps: the number of its Euler steps",
    "prediction_horizon": "prediction_horizon: the rows of its chunks",
    "action_size": "action_size: the numbers in a row of its chunks",
}

SAMPLING = ("infer_batch", "compile", "to_network", "to_actions", "steps", "prediction_horizon", "action_size")


def check_needs(policy: object, strategy: str, needs: tuple[str, ...], instead: str) -> None:
    """Refuse a policy that lacks what a strategy needs.

    Args:
        policy: has `infer` at least.
        strategy: its name.
        needs: names in `MEANINGS`.
        instead: what else can be done, the end of the sentence.

    Raises:
        ArgumentError: it lacks something, or is no policy.
    """
    check_policy(policy)
    for name in needs:
        if getattr(policy, name, None) is None:
            raise ArgumentError(
                f"{strategy} needs a policy with {MEANINGS[name]}; {type(policy).__name__} has no {name}: {instead}."
            )
