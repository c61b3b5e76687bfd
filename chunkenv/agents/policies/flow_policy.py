"""A flow policy at work: chunks from noise along the learned velocity, and the file that holds both.

How it is trained is in `chunkenv.agents.flow_matching`.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.common.rounding import COARSE, named, restore, rounded
from chunkenv.agents.nets.mixer import Architecture, ChunkSizes
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow, flops
from chunkenv.agents.policies.flow_sampler import FlowSampler
from chunkenv.errors import ArgumentError

KIND = "chunkenv flow policy"

_velocity = jax.jit(PreconditionedFlow.velocity)


class FlowPolicy(FlowSampler):
    """A flow policy, trained on windows of demonstrations.

    Args:
        flow: the learned velocity.
        action_mean: float32[A], of the actions it learned from.
        action_std: float32[A].
        facts: how it was made: "level", "max_prefix", and whatever else is known.

    Attributes:
        level: the Kinetix level, or what else the data were said to be of.
        observation_size: O, of the compact observation.
        flops_per_evaluation: floating point operations of one velocity of one chunk; 2 for a multiply-add.
        soft_rows: the most rows behind a prefix that were given in part in its training.
        facts: how it was made.
        family: the family, or the folder, that `load_pretrained` took it from; empty if it was made otherwise.
    """

    flow: PreconditionedFlow

    def __init__(self, flow: PreconditionedFlow, action_mean: np.ndarray, action_std: np.ndarray, facts: Facts) -> None:
        sizes = flow.sizes
        super().__init__(flow, sizes.horizon, sizes.action, int(facts["max_prefix"]), sizes.prefix)
        self._mean, self._std = action_mean, action_std
        self.facts, self.family = facts, ""
        self.level, self.observation_size = str(facts["level"]), sizes.observation
        self.flops_per_evaluation = flops(flow.architecture, sizes)
        self.soft_rows = int(facts.get("soft_rows", 0))

    def velocity(
        self,
        observations: Array,
        chunks: Array,
        time: Array | float,
        prefix_length: Array | None = None,
        prefix_weights: Array | None = None,
    ) -> jax.Array:
        """As `PreconditionedFlow.velocity`, compiled."""
        return _velocity(self.flow, observations, chunks, time, prefix_length, prefix_weights)

    def to_network(self, actions: Array) -> Array:
        """Actions [..., A] as the flow has them: zero mean, unit variance over its data, channel by channel."""
        return (actions - self._mean) / self._std

    def to_actions(self, chunks: Array) -> Array:
        """The inverse of `to_network`."""
        return chunks * self._std + self._mean

    @property
    def action_scales(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean and the standard deviation of the actions it learned from, float32[A] each."""
        return self._mean, self._std

    def save(self, path: Path | str, small: bool = False) -> None:
        """Write the policy into one safetensors file, atomically.

        Args:
            path: of the file.
            small: whether to round matrices to 31 values, 5 bits, with a scale for each column; a name that ends in
                ".xz" compresses the file.
        """
        flow = self.flow
        weights = {name: np.asarray(value) for name, value in flow.weights.items()}
        arrays = rounded(weights, COARSE) if small else named(weights)
        arrays |= {"observation/mean": np.asarray(flow.observation_mean)}
        arrays |= {"observation/std": np.asarray(flow.observation_std)}
        arrays |= {"action/mean": self._mean, "action/std": self._std}
        facts = {
            "architecture": dataclasses.asdict(flow.architecture),
            "sizes": dataclasses.asdict(flow.sizes),
            "steps": flow.steps,
            "data_std": flow.data_std,
            "facts": self.facts,
        }
        checkpoint_file.write(Path(path), KIND, arrays, facts)

    def _checked(self, observations: np.ndarray, count: tuple[int, ...]) -> np.ndarray:
        array, shape = np.asarray(observations), (*count, self.observation_size)
        if array.shape != shape or array.dtype.kind != "f":
            raise ArgumentError(
                f"The flow policy of {self.level} was given {array.dtype}{list(array.shape)}, but needs "
                f"float32{list(shape)}; make the environment with observation='compact'."
            )
        return array.astype(np.float32, copy=False)


def load_flow_policy(path: Path | str) -> FlowPolicy:
    """The policy in a file that `FlowPolicy.save` wrote.

    Raises:
        ArgumentError: there is no such file, or it holds something else.
    """
    arrays, facts = checkpoint_file.read(Path(path), KIND)
    flow = PreconditionedFlow(
        {name: jnp.asarray(value) for name, value in restore(arrays).items()},
        arrays["observation/mean"],
        arrays["observation/std"],
        Architecture(**facts["architecture"]),
        ChunkSizes(**facts["sizes"]),
        facts["steps"],
        facts["data_std"],
    )
    return FlowPolicy(flow, arrays["action/mean"], arrays["action/std"], facts["facts"])
