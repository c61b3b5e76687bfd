"""Training a vision-language-action model on demonstrations with instructions, and on questions."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.optim import optimizer_facts, renew_bases
from chunkenv.agents.vla.insulation import VLABatch, VLAScales, begin, loss, updates
from chunkenv.agents.vla.vla_flow import initial_vla
from chunkenv.agents.vla.vla_model import VLAModel, started_from
from chunkenv.agents.vla.vla_policies import vla_policy
from chunkenv.agents.vla.vla_settings import VLASettings, VLASizes
from chunkenv.agents.vla.word_tokens import WordTokens
from chunkenv.errors import ArgumentError
from chunkenv.training.imitation import STD_FLOOR
from chunkenv.training.instruction_play import InstructionPlay
from chunkenv.training.jax_state import from_arrays, to_arrays
from chunkenv.training.loop import Training
from chunkenv.training.metrics import Metrics
from chunkenv.utils.checks import whole_number

MODEL = "model.safetensors"
ROUND = 100  # updates in one compiled call
STATISTICS_WINDOWS = 4096  # that mean and standard deviation are taken from
TESTED = 256  # windows that losses and answers are tested with
CHECKSUM_WINDOWS = 256  # that tell one dataset from another


class VLAWindows(Protocol):
    """Where training draws from: `chunkenv.training.InstructedWindows` is one."""

    def sample(self, rng: np.random.Generator, batch: int) -> VLABatch:
        """So many windows."""
        ...


class VLATraining(Training):
    """The training of one model: `advance()` until `done`, then `model()`; its steps are updates.

    It depends on the windows, the settings, the first weights and the seed, and on nothing else.

    Args:
        windows: where it draws from.
        settings: of the arm.
        words: the vocabulary.
        seed: of the first weights, the draws and the noise; at least 0.
        facts: what the model shall say of itself.
        start: a model to begin with: its weights and its scales.
        held_out: windows of other episodes, to test losses and answers with; None for no tests.
        play: plays what was learned at every evaluation; None for no play.
        evaluate_every: updates between two evaluations, which write the model and the state.

    Raises:
        ArgumentError: for a prefix that leaves no row to be learned, a backbone to be frozen that knows nothing, or a
            model to start from of another kind.
    """

    kind = "chunkenv vision-language-action training"
    report_every = ROUND

    def __init__(
        self,
        windows: VLAWindows,
        settings: VLASettings,
        words: WordTokens,
        seed: int,
        facts: Facts,
        start: VLAModel | None = None,
        held_out: VLAWindows | None = None,
        play: InstructionPlay | None = None,
        evaluate_every: int = 1000,
    ) -> None:
        self._windows, self.settings, self._words = windows, settings, words
        self.total_steps = settings.updates
        self.evaluate_every = whole_number("evaluate_every", evaluate_every, at_least=1)
        self._held_out, self._play = held_out, play
        self._seed = whole_number("seed", seed, at_least=0)
        first = windows.sample(self._rng(0), STATISTICS_WINDOWS)
        self._sizes = sizes_of(first, words)
        check_rows(settings, self._sizes)
        if settings.arm == "frozen" and start is None:
            raise ArgumentError(
                "arm='frozen' without a model to start from keeps a backbone that knows nothing; give one, as "
                "`chunkenv train vla --arm questions` makes it, or another arm."
            )
        self._scales = scales_of(first) if start is None else start.scales
        self._checksums = [_sum(leaf) for leaf in windows.sample(self._rng(0), CHECKSUM_WINDOWS)]
        weights = self._first_weights(start)
        self._first = _sum(weights)
        self._facts = {**facts, **optimizer_facts(settings), "seed": self._seed}
        self._state = begin(weights, settings)

    def _first_weights(self, start: VLAModel | None) -> dict[str, object]:
        network = self.settings.network
        if start is None:
            return initial_vla(self._seed, network, self._sizes)
        return started_from(start, network, self._sizes, self._words)

    @property
    def identity(self) -> Facts:
        """Settings, seed, and checksums of the data and of the first weights."""
        settings = dataclasses.asdict(self.settings)
        return {"settings": settings, "seed": self._seed, "data": self._checksums, "start": self._first}

    @property
    def steps(self) -> int:
        """Updates that were made."""
        return int(self._state.update)

    def advance(self) -> Metrics:
        """Make up to 100 updates; the `steps` so far, and the mean of each loss."""
        count, batch = min(ROUND, self.total_steps - self.steps), self.settings.batch
        windows = self._windows.sample(self._rng(1 + self.steps), count * batch)
        batches = jax.tree.map(lambda each: each.reshape(count, batch, *each.shape[1:]), windows)
        state, losses = updates(self.settings, self._sizes, self._state, self._scales, self._seed, batches)
        self._state = renew_bases(state)
        return {"steps": self.steps, **{name: float(value) for name, value in losses.items()}}

    def model(self) -> VLAModel:
        """The model with the averaged weights, or with the newest if the settings say so."""
        weights = self._state.average if self.settings.averaged else self._state.weights
        facts = {**self._facts, "updates": self.steps}
        return VLAModel(dict(weights), self._scales, self.settings, self._sizes, self._words, facts)

    def evaluate(self) -> Metrics:
        """Losses and right answers on held-out windows, and how much is solved of what is played."""
        model, metrics = self.model(), {}
        if self._held_out is not None:
            batch = self._held_out.sample(self._rng(0), TESTED)
            losses = _losses(self.settings, self._sizes, model.weights, self._scales, batch)
            metrics = {f"held_out_{name}": float(value) for name, value in losses.items()}
            right = model.answer(batch.seen._replace(words=batch.questions)) == batch.answers
            metrics["right_answers"] = float(np.mean(right))
        if self._play is not None and self.settings.arm != "questions":
            metrics |= self._play(vla_policy(model))
        return metrics

    def state(self) -> tuple[Arrays, Facts]:
        """Weights, their average and the optimiser's state."""
        return to_arrays(self._state), {}

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        self._state = from_arrays(self._state, arrays)

    def write_results(self, folder: Path) -> None:
        """Write `model.safetensors`."""
        self.model().save(folder / MODEL)

    def _rng(self, draw: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, draw])


def sizes_of(batch: VLABatch, words: WordTokens) -> VLASizes:
    """What a model of such windows sees and makes."""
    pixels, state, _ = batch.seen
    return VLASizes(pixels.shape[1], state.shape[1], words.length, words.size, *batch.chunks.shape[1:])


def scales_of(batch: VLABatch) -> VLAScales:
    """Means and standard deviations of states, and of the actions within the episodes; what hardly varies is kept."""
    state, actions = np.asarray(batch.seen.state), np.asarray(batch.chunks)[np.asarray(batch.mask) > 0]
    scales = [(each.mean(axis=0), np.maximum(each.std(axis=0), STD_FLOOR)) for each in (state, actions)]
    return VLAScales(*(scale.astype(np.float32) for pair in scales for scale in pair))


def check_rows(settings: VLASettings, sizes: VLASizes) -> None:
    """Refuse a prefix of all rows.

    Raises:
        ArgumentError: it leaves no row to be learned.
    """
    if settings.max_prefix >= sizes.horizon:
        raise ArgumentError(
            f"max_prefix={settings.max_prefix} leaves no row of {sizes.horizon} to be learned; give less."
        )


@partial(jax.jit, static_argnums=(0, 1))
def _losses(
    settings: VLASettings, sizes: VLASizes, weights: dict[str, object], scales: VLAScales, batch: VLABatch
) -> dict[str, jax.Array]:
    """Each loss of the arm, with the same noise each time."""
    return loss(weights, settings, sizes, scales, jax.tree.map(jnp.asarray, batch), jax.random.key(0))[1]


def _sum(tree: object) -> float:
    return float(sum(np.sum(np.asarray(leaf), dtype=np.float64) for leaf in jax.tree.leaves(tree)))
