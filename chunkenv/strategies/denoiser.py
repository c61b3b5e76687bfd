"""What strategies need of a flow policy, whatever it is written in: the denoiser and its vector-Jacobian product.

A denoiser's velocity carries noise (flow time 0) to data (flow time 1). A diffusion policy has one too: with the mean
prediction x1 of a chunk from x at time t, the velocity of the straight path is (x1 - x) / (1 - t).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from chunkenv.errors import ArgumentError
from chunkenv.evaluate import check_policy


class Denoiser(Protocol):
    """A flow policy that strategies can guide. `chunks` are always in the network's own, normalised, action space.

    Arrays are of the policy's framework (NumPy, JAX, PyTorch): strategies use nothing but operators on them, inside a
    loop that the policy itself compiles.

    Attributes:
        prediction_horizon: rows in a chunk, H.
        action_size: numbers in a row, A.
        steps: Euler steps from noise to data.
        flops_per_evaluation: floating point operations of one velocity for one observation.
    """

    prediction_horizon: int
    action_size: int
    steps: int
    flops_per_evaluation: int

    def infer(self, observation: Any, request: Any) -> Any:
        """The plain chunk, [H, A], in the environment's action space."""
        ...

    def infer_batch(self, observations: Any, request: Any) -> Any:
        """The plain chunks, [N, H, A]; row i's noise is `request.rng[i].standard_normal((H, A), numpy.float32)`."""
        ...

    def velocity(self, observations: Any, chunks: Any, time: float) -> Any:
        """The velocity [N, H, A] of `chunks` [N, H, A] at flow time `time` in [0, 1)."""
        ...

    def velocity_vjp(self, observations: Any, chunks: Any, time: float) -> tuple[Any, Callable[[Any], Any]]:
        """The velocity, and the function that multiplies a [N, H, A] with its transposed Jacobian in `chunks`."""
        ...

    def compile(self, loop: Callable[..., Any]) -> Callable[..., Any]:
        """`loop(denoiser, *arrays)` as a function of NumPy arrays that returns a NumPy array.

        The loops of this package are frozen dataclasses: equal ones compare equal and hash alike, so that what was
        compiled for one can serve for all.
        """
        ...

    def to_network(self, actions: Any) -> Any:
        """Actions as the network has them, elementwise (NumPy)."""
        ...

    def to_actions(self, chunks: Any) -> Any:
        """The inverse of `to_network` (NumPy)."""
        ...


WHAT = {
    "infer_batch": "infer_batch(observations, request): many answers at once, each drawn from a generator of its own",
    "velocity": "velocity(observations, chunks, time): the denoiser",
    "velocity_vjp": "velocity_vjp(observations, chunks, time): the denoiser and its vector-Jacobian product",
    "compile": "compile(loop): a loop over the denoiser as a function of NumPy arrays",
    "to_network": "to_network(actions): actions in the network's own space",
    "to_actions": "to_actions(chunks): the inverse of to_network",
    "steps": "steps: the number of its Euler steps",
    "prediction_horizon": "prediction_horizon: the rows of its chunks",
    "action_size": "action_size: the numbers in a row of its chunks",
}

SAMPLING = ("infer_batch", "compile", "to_network", "to_actions", "steps", "prediction_horizon", "action_size")


def check_needs(policy: Any, who: str, needs: tuple[str, ...], instead: str) -> None:
    """Refuse a policy that lacks what a strategy needs.

    Args:
        policy: has `infer` at least.
        who: the strategy's name.
        needs: names in `WHAT`.
        instead: what else can be done, the end of the sentence.

    Raises:
        ArgumentError: it lacks something, or is no policy.
    """
    check_policy(policy)
    for name in needs:
        if getattr(policy, name, None) is None:
            raise ArgumentError(
                f"{who} needs a policy with {WHAT[name]}; {type(policy).__name__} has no {name}: {instead}."
            )
