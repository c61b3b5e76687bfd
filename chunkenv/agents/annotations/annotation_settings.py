"""How an encoder learns from annotations."""

from __future__ import annotations

from dataclasses import dataclass, field

from chunkenv.agents.annotations.frame_encoder import EncoderSize
from chunkenv.agents.common.optim.optimizers import check_optimizer
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, real_number, whole_number

ANNOTATIONS = ("predicates", "instances", "prototypes")
"""What a crop is annotated with: see `AnnotationSettings.annotations`."""


@dataclass(frozen=True, kw_only=True)
class AnnotationSettings:
    """Everything that a training depends on, but for the data and the seed.

    Attributes:
        size: of the encoder.
        annotations: "predicates": which sentences hold, given with each frame, each true or false by itself;
            "instances": which frame of the batch a crop is of, as in SimCLR (arXiv 2002.05709); "prototypes": which of
            some learned vectors it is nearest to, as in DINO (arXiv 2104.14294).
        bootstrap_weight: of the loss of values; 0 learns the annotations only: SimCLR, or supervised predicates.
        discount: of what later crops find, gamma.
        boxes: crops that the best is looked for among, K.
        smallest: side of the smallest crop, as a share of the frame's.
        embedding: numbers that a crop is compared by, for instances and prototypes.
        prototypes: how many.
        temperature: of the softmax over instances or prototypes.
        hidden: width of the heads' hidden layers.
        target_decay: per update, of the moving average of the weights that targets are made with.
        updates: of the weights.
        batch: frames in an update.
        learning_rate: at its highest: it rises linearly over `warm_up` updates and falls as a cosine to 0.
        warm_up: updates.
        weight_decay: of matrices.
        clip: the largest norm of a gradient.
        optimizer: "adam", "adamw", "muon" or "splus".
        averaged: whether the target's weights are the result, or the newest.

    Raises:
        ArgumentError: for an invalid value.
    """

    size: EncoderSize = field(default_factory=EncoderSize)
    annotations: str = "instances"
    bootstrap_weight: float = 1.0
    discount: float = 0.7
    boxes: int = 4
    smallest: float = 0.4
    embedding: int = 64
    prototypes: int = 64
    temperature: float = 0.1
    hidden: int = 256
    target_decay: float = 0.99
    updates: int = 10_000
    batch: int = 128
    learning_rate: float = 1e-3
    warm_up: int = 200
    weight_decay: float = 1e-3
    clip: float = 1.0
    optimizer: str = "adamw"
    averaged: bool = True

    def __post_init__(self) -> None:
        one_of("annotations", self.annotations, ANNOTATIONS)
        for name in ("boxes", "embedding", "prototypes", "hidden", "updates", "batch", "warm_up"):
            whole_number(name, getattr(self, name), at_least=1)
        for name in ("bootstrap_weight", "weight_decay", "clip"):
            real_number(name, getattr(self, name), at_least=0.0)
        for name in ("discount", "target_decay", "smallest"):
            real_number(name, getattr(self, name), at_least=0.0, at_most=1.0)
        if not self.temperature > 0 or not self.smallest > 0:
            raise ArgumentError(
                f"temperature={self.temperature:g} and smallest={self.smallest:g} have to be above 0; give more."
            )
        check_optimizer(self)
        if self.discount == 1:
            raise ArgumentError("discount=1 leaves nothing of what is found now; give less, such as 0.7.")

    @property
    def bootstraps(self) -> bool:
        """Whether values are learned."""
        return self.bootstrap_weight > 0
