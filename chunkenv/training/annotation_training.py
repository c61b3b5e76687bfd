"""Training an encoder of frames by annotations, and by what moving a crop would find of them."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.annotations.annotation_learning import (
    AnnotatedFrames,
    annotation_loss,
    annotation_updates,
    begin,
)
from chunkenv.agents.annotations.annotation_settings import AnnotationSettings
from chunkenv.agents.annotations.crops import draw_boxes
from chunkenv.agents.annotations.frame_encoder import FrameEncoder
from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.optim import optimizer_facts, renew_bases
from chunkenv.agents.vla.layers import Weights
from chunkenv.errors import ArgumentError
from chunkenv.training.jax_state import from_arrays, to_arrays
from chunkenv.training.loop import Training
from chunkenv.training.metrics import Metrics
from chunkenv.utils.checks import whole_number

ENCODER = "encoder.safetensors"
ROUND = 20  # updates in one compiled call: their frames are drawn at once
TESTED = 256  # held-out frames
CHECKSUM_FRAMES = 256  # that tell one dataset from another


class AnnotatedSource(Protocol):
    """Where training draws from: `chunkenv.training.FrameSource` is one."""

    def sample(self, rng: np.random.Generator, batch: int) -> AnnotatedFrames:
        """So many frames."""
        ...


class AnnotationTraining(Training):
    """The training of one encoder: `advance()` until `done`, then `encoder()`; its steps are updates.

    It depends on the frames, the settings and the seed, and on nothing else.

    Args:
        frames: where it draws from.
        settings: of the training.
        seed: of the first weights, the draws and the crops; at least 0.
        facts: what the encoder shall say of itself.
        held_out: frames of other episodes, to test losses with; None for no tests.
        evaluate_every: updates between two evaluations, which write the encoder and the state.

    Raises:
        ArgumentError: an invalid number, or predicates to be learned of frames without.
    """

    kind = "chunkenv annotation training"
    report_every = 100

    def __init__(
        self,
        frames: AnnotatedSource,
        settings: AnnotationSettings,
        seed: int,
        facts: Facts,
        held_out: AnnotatedSource | None = None,
        evaluate_every: int = 1000,
    ) -> None:
        self._frames, self.settings, self._held_out = frames, settings, held_out
        self.total_steps = settings.updates
        self.evaluate_every = whole_number("evaluate_every", evaluate_every, at_least=1)
        self._seed = whole_number("seed", seed, at_least=0)
        first = frames.sample(self._rng(0), CHECKSUM_FRAMES)
        predicates = np.shape(first.holds)[1]
        if settings.annotations == "predicates" and not predicates:
            raise ArgumentError(
                "annotations='predicates' needs sentences that hold, and these frames have none; give frames with "
                "some, or annotations='instances'."
            )
        self._checksums = [float(np.sum(leaf, dtype=np.float64)) for leaf in first]
        self._facts = {**facts, **optimizer_facts(settings), "seed": self._seed}
        self._state = begin(settings, predicates, self._seed)

    @property
    def identity(self) -> Facts:
        """Settings, seed, and checksums of the data."""
        return {"settings": dataclasses.asdict(self.settings), "seed": self._seed, "data": self._checksums}

    @property
    def steps(self) -> int:
        """Updates that were made."""
        return int(self._state.update)

    def advance(self) -> Metrics:
        """Make up to 20 updates; the `steps` so far, and the mean of each loss."""
        count, batch = min(ROUND, self.total_steps - self.steps), self.settings.batch
        drawn = self._frames.sample(self._rng(1 + self.steps), count * batch)
        batches = AnnotatedFrames(*(each.reshape(count, batch, *each.shape[1:]) for each in drawn))
        state, losses = annotation_updates(self.settings, self._state, self._seed, batches)
        self._state = renew_bases(state)
        return {"steps": self.steps, **{name: float(value) for name, value in losses.items()}}

    def encoder(self) -> FrameEncoder:
        """The encoder with the target's averaged weights, or with the newest if the settings say so."""
        weights = self._state.target if self.settings.averaged else self._state.weights
        about = {"annotations": self.settings.annotations, "bootstrap_weight": self.settings.bootstrap_weight}
        return FrameEncoder(weights["encoder"], self.settings.size, {**self._facts, **about, "updates": self.steps})

    def evaluate(self) -> Metrics:
        """Losses on held-out frames, with the same frames and crops each time."""
        if self._held_out is None:
            return {}
        losses = _test(self.settings, self._state.target, self._held_out.sample(self._rng(0), TESTED))
        return {f"held_out_{name}": float(value) for name, value in losses.items()}

    def state(self) -> tuple[Arrays, Facts]:
        """Weights, their average and the optimiser's state."""
        return to_arrays(self._state), {}

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        self._state = from_arrays(self._state, arrays)

    def write_results(self, folder: Path) -> None:
        """Write `encoder.safetensors`."""
        self.encoder().save(folder / ENCODER)

    def _rng(self, draw: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, draw])


@partial(jax.jit, static_argnums=0)
def _test(settings: AnnotationSettings, weights: Weights, batch: AnnotatedFrames) -> dict[str, jax.Array]:
    boxes = draw_boxes(jax.random.key(0), (3 + settings.boxes, len(batch.frames)), settings.smallest)
    return annotation_loss(weights, weights, settings, jax.tree.map(jnp.asarray, batch), boxes)[1]
