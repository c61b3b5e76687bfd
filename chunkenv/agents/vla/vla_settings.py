"""What a vision-language-action model is made by: its size, what it sees and makes, and how it learns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from chunkenv.agents.common.optim.optimizers import check_optimizer
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.vla.action_tokens import KINDS
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, real_number, whole_number

ARMS = ("joint", "joint-tokens", "insulated", "frozen", "tokens", "questions")
"""What is learned: see `VLASettings.arm`."""
CHANNELS = 3
"""Of a frame."""


class Seen(NamedTuple):
    """A batch of what the model sees.

    Attributes:
        pixels: uint8[N, S, S, 3] or float32 from 0 to 255; S is 0 without frames.
        state: float32[N, R], numbers of robot or scene; R may be 0.
        words: int32[N, L], see `WordTokens`.
    """

    pixels: Array
    state: Array
    words: Array


@dataclass(frozen=True)
class VLASizes:
    """What a model sees and makes.

    Attributes:
        image: height and width of a frame in pixels, S; 0 without frames.
        state: numbers of robot or scene, R.
        words: in a sentence, L.
        vocabulary: numbers that words may have.
        horizon: rows of a chunk, H.
        action: numbers in a row, A.
    """

    image: int
    state: int
    words: int
    vocabulary: int
    horizon: int
    action: int

    @property
    def numbers(self) -> int:
        """Of an observation as one vector: pixels, state and words, one behind the other."""
        return CHANNELS * self.image**2 + self.state + self.words

    @property
    def chunk_tokens(self) -> int:
        """Tokens of a chunk."""
        return self.horizon * self.action


@dataclass(frozen=True)
class VLANetworkSize:
    """Kind and size of the two transformers.

    Attributes:
        layers: of each.
        width: of the backbone's vectors.
        heads: of attention, in both.
        expert_width: of the action expert's vectors.
        patch: height and width of a piece of a frame that becomes one vector, in pixels.
        tokens: "bins" or "frequencies": what a chunk's tokens are.

    Raises:
        ArgumentError: for an invalid value, or heads that do not divide the width.
    """

    layers: int = 2
    width: int = 64
    heads: int = 4
    expert_width: int = 64
    patch: int = 8
    tokens: str = "bins"

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "expert_width", "patch"):
            whole_number(name, getattr(self, name), at_least=1)
        one_of("tokens", self.tokens, KINDS)
        if self.width % self.heads:
            raise ArgumentError(f"width={self.width} is no multiple of heads={self.heads}; choose one that is.")


@dataclass(frozen=True, kw_only=True)
class VLASettings:
    """Everything that a training depends on, but for the data, the first weights and the seed.

    Attributes:
        network: size of the transformers.
        arm: what is learned. "joint": the flow trains everything. "joint-tokens": so do tokens of actions. "insulated":
            tokens train the backbone, the flow only the expert, which sees the backbone's keys and values as constants
            (knowledge insulation, arXiv 2505.23705). "frozen": the flow trains the expert, nothing the backbone.
            "tokens": tokens train the backbone, and there is no flow. "questions": the backbone answers questions about
            what it sees, and nothing else.
        token_weight: of the tokens' loss, where they are learned.
        question_weight: of the loss of answers beside actions; 0 for none.
        steps: Euler steps from noise to a chunk.
        max_prefix: the longest clean prefix that the expert learns to go on from; 0 for none.
        left_out: share of windows whose instruction is left out, so that it can be guided by.
        updates: of the weights.
        batch: windows in an update.
        learning_rate: at its highest: it rises linearly over `warm_up` updates and falls as a cosine to 0.
        warm_up: updates.
        weight_decay: of matrices.
        clip: the largest norm of a gradient.
        averaging: decay per update of the moving average of the weights.
        optimizer: "adam", "adamw", "muon" or "splus".
        averaged: whether the average is the result, or the newest weights.

    Raises:
        ArgumentError: for an invalid value; insulation without tokens, or "questions" without a weight.

    >>> VLASettings(arm="insulated", token_weight=0.0)
    Traceback (most recent call last):
    ...
    chunkenv.errors.ArgumentError: token_weight=0 with arm='insulated' leaves nothing that trains the backbone: give ...
    """

    network: VLANetworkSize = field(default_factory=VLANetworkSize)
    arm: str = "insulated"
    token_weight: float = 1.0
    question_weight: float = 0.0
    steps: int = 5
    max_prefix: int = 0
    left_out: float = 0.1
    updates: int = 10_000
    batch: int = 128
    learning_rate: float = 1e-3
    warm_up: int = 500
    weight_decay: float = 1e-3
    clip: float = 1.0
    averaging: float = 0.999
    optimizer: str = "adamw"
    averaged: bool = True

    def __post_init__(self) -> None:
        one_of("arm", self.arm, ARMS)
        for name in ("steps", "updates", "batch", "warm_up"):
            whole_number(name, getattr(self, name), at_least=1)
        whole_number("max_prefix", self.max_prefix, at_least=0)
        for name in ("token_weight", "question_weight", "weight_decay", "clip"):
            real_number(name, getattr(self, name), at_least=0.0)
        for name in ("left_out", "averaging"):
            real_number(name, getattr(self, name), at_least=0.0, at_most=1.0)
        check_optimizer(self)
        self._check_weights()

    def _check_weights(self) -> None:
        if self.learns_tokens and not self.token_weight:
            raise ArgumentError(
                f"token_weight=0 with arm={self.arm!r} leaves nothing that trains the backbone: give a weight above 0, "
                "or arm='frozen' with weights to start from, which is what that would be."
                if self.arm != "joint-tokens"
                else "token_weight=0 with arm='joint-tokens' is arm='joint'; give that, or a weight above 0."
            )
        if self.question_weight and self.arm == "frozen":
            raise ArgumentError(
                f"question_weight={self.question_weight:g} would train the backbone that arm='frozen' keeps; leave it "
                "out."
            )

    @property
    def learns_flow(self) -> bool:
        """Whether there is a flow."""
        return self.arm not in ("tokens", "questions")

    @property
    def learns_tokens(self) -> bool:
        """Whether tokens of actions are learned."""
        return self.arm in ("joint-tokens", "insulated", "tokens")

    @property
    def learns_questions(self) -> bool:
        """Whether answers are learned."""
        return self.arm == "questions" or self.question_weight > 0

    @property
    def insulates(self) -> bool:
        """Whether the expert sees constants, so that the flow trains nothing of the backbone."""
        return self.arm in ("insulated", "frozen")

    @property
    def trained(self) -> tuple[str, ...]:
        """The parts whose weights change: "backbone" and "expert"."""
        parts = {"backbone": self.arm != "frozen", "expert": self.learns_flow}
        return tuple(name for name, changes in parts.items() if changes)
