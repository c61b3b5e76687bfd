"""A vision-language-action model at work: by its action expert, or token by token."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.policies.flow_sampler import FlowSampler
from chunkenv.agents.policies.streams import checked_streams
from chunkenv.agents.vla.observation_reader import ObservationReader, Observed
from chunkenv.agents.vla.token_decoding import flops_of_token, say_chunks
from chunkenv.agents.vla.vla_flow import WordGuidedFlow, flops_of_seeing, flops_of_velocity
from chunkenv.agents.vla.vla_model import VLAModel
from chunkenv.errors import ArgumentError
from chunkenv.request import Request, VectorRequest
from chunkenv.utils.checks import real_number


class VLAPolicy(FlowSampler):
    """Draws chunks by the action expert; a flow policy for every strategy: RTC, training-time RTC and the others.

    The backbone runs once for a chunk, with an instruction that is guided by twice; the expert once for each velocity.

    Args:
        model: trained with a flow.
        guidance: the weight of the instruction: 1 is what was learned, more exaggerates it (`WordGuidedFlow`).

    Attributes:
        model: the model.
        evaluations_per_velocity: of the expert: 2 with guidance, else 1.
        flops_per_evaluation: floating point operations of the expert for one velocity of one chunk.
        flops_per_observation: those of the backbone, once for a chunk.

    Raises:
        ArgumentError: the model has learned no flow, or guidance below 0, or other than 1 for a model that was always
            told its instruction.
    """

    def __init__(self, model: VLAModel, guidance: float = 1.0) -> None:
        if not model.settings.learns_flow:
            raise ArgumentError(
                f"A model of arm={model.settings.arm!r} has learned no flow; play it with TokenPolicy, or train it "
                "with another arm."
            )
        self.model, self._reader = model, ObservationReader(model.sizes, model.words)
        network, sizes, longest = model.settings.network, model.sizes, model.settings.max_prefix
        guided = _is_guided(model, guidance)
        self.evaluations_per_velocity = 2 if guided else 1
        self.flops_per_evaluation = flops_of_velocity(network, sizes)
        self.flops_per_observation = self.evaluations_per_velocity * flops_of_seeing(network, sizes)
        flow = WordGuidedFlow(model.flow, guidance, model.settings.steps) if guided else model.flow
        super().__init__(flow, sizes.horizon, sizes.action, longest, longest > 0)

    def with_guidance(self, weight: float) -> VLAPolicy:
        """The same policy with another weight of the instruction.

        Raises:
            ArgumentError: as for `VLAPolicy`.
        """
        return VLAPolicy(self.model, weight)

    def velocity(
        self, observations: Observed, chunks: Array, time: Array | float, prefix_length: Array | None = None
    ) -> jax.Array:
        """As `FlowSampler.velocity`, of a batch of observations with words."""
        return super().velocity(self._reader(observations, (len(chunks),)), chunks, time, prefix_length)

    def velocity_vjp(
        self, observations: Observed, chunks: Array, time: Array | float
    ) -> tuple[jax.Array, Callable[[Array], jax.Array]]:
        """As `FlowSampler.velocity_vjp`, of a batch of observations with words."""
        return super().velocity_vjp(self._reader(observations, (len(chunks),)), chunks, time)

    def compile(self, loop: Callable[..., object]) -> Callable[..., object]:
        """As `FlowSampler.compile`; the first of the arrays is a batch of observations with words."""
        compiled = super().compile(loop)
        return lambda observations, *arrays: compiled(self._reader(observations, (len(arrays[0]),)), *arrays)

    def to_network(self, actions: Array) -> Array:
        """Actions [..., A] as the flow has them: zero mean, unit variance over its data."""
        return (actions - self.model.scales.action_mean) / self.model.scales.action_std

    def to_actions(self, chunks: Array) -> Array:
        """The inverse of `to_network`, within [-1, 1]."""
        return (chunks * self.model.scales.action_std + self.model.scales.action_mean).clip(-1, 1)

    def _checked(self, observations: Observed, count: tuple[int, ...]) -> np.ndarray:
        return self._reader(observations, count)


class TokenPolicy:
    """Says chunks token by token, from the likeliest or by chance: slower than the expert, and charged for it.

    Args:
        model: trained with tokens.
        temperature: 0 says the likeliest token each time; 1 draws each as often as the model holds it.

    Attributes:
        model: the model.
        prediction_horizon: rows in a chunk, H.
        action_size: numbers in a row, A.
        steps: tokens that were said for the last chunks; fewer than H A where the tokens have an end.
        flops_per_evaluation: floating point operations of the backbone for one more token of one chunk.
        flops_per_observation: those for what is seen, once for a chunk.

    Raises:
        ArgumentError: the model has learned no tokens, or a temperature below 0.
    """

    def __init__(self, model: VLAModel, temperature: float = 0.0) -> None:
        if not model.settings.learns_tokens:
            raise ArgumentError(
                f"A model of arm={model.settings.arm!r} has learned no tokens of actions; play it with VLAPolicy, or "
                "train it with arm='tokens'."
            )
        self.model, self._reader = model, ObservationReader(model.sizes, model.words)
        self._temperature = float(real_number("temperature", temperature, at_least=0.0))
        self.prediction_horizon, self.action_size = model.sizes.horizon, model.sizes.action
        self.steps = model.sizes.chunk_tokens
        self.flops_per_evaluation = flops_of_token(model.settings.network, model.sizes)
        self.flops_per_observation = flops_of_seeing(model.settings.network, model.sizes)

    def infer(self, observation: Observed, request: Request) -> np.ndarray:
        """A chunk for one request, float32[H, A].

        Args:
            observation: with an instruction.
            request: with a random stream in `rng`.

        Raises:
            ArgumentError: an observation of another kind, or a request without a stream.
        """
        return self._say(self._reader(observation, ())[None], request.rng)[0]

    def infer_batch(self, observations: Observed, request: VectorRequest) -> np.ndarray:
        """Chunks for N requests, float32[N, H, A]; each draws from its own stream.

        Raises:
            ArgumentError: as for `infer`.
        """
        return self._say(self._reader(observations, (len(request.tick),)), request.rng)

    def _say(self, observations: np.ndarray, rng: object) -> np.ndarray:
        streams = checked_streams(rng, "a policy of tokens")
        seeds = np.array([stream.integers(2**32, dtype=np.uint32) for stream in streams])
        chunks, count = say_chunks(self.model.flow, observations, seeds, self._temperature)
        self.steps = int(count)
        return np.array(chunks)


def vla_policy(model: VLAModel, guidance: float = 1.0) -> VLAPolicy | TokenPolicy:
    """The policy of a model: by its expert, or by tokens where it has learned no flow.

    Raises:
        ArgumentError: it has learned nothing to play with, or cannot be guided.
    """
    if model.settings.learns_flow:
        return VLAPolicy(model, guidance)
    if guidance != 1.0:
        raise ArgumentError(f"guidance={guidance:g} is for a flow, and the model says tokens; leave it out.")
    return TokenPolicy(model)


def _is_guided(model: VLAModel, guidance: float) -> bool:
    guided = real_number("guidance", guidance, at_least=0.0) != 1.0
    if guided and not model.settings.left_out:
        raise ArgumentError(
            f"guidance={guidance:g} needs a model that was trained without its instruction at times; train it with "
            "left_out above 0."
        )
    return guided
