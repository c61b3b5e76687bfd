"""Training a model of the world on the ticks of demonstrations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.optim import averaged_weights, optimizer_facts, renew_bases, settings_facts
from chunkenv.agents.delay_aware.model_learning import ModelSettings, initial_model_state, model_updates
from chunkenv.agents.policies.learned_model import LearnedModel, ModelScales
from chunkenv.training.jax_state import from_arrays, to_arrays
from chunkenv.training.loop import Training
from chunkenv.training.metrics import Metrics
from chunkenv.utils.checks import whole_number

MODEL = "model.safetensors"
ROUND = 100  # updates in one compiled call
SAVE_EVERY = 1000  # updates
STATISTICS_TICKS = 65_536  # that means and standard deviations are taken from
STD_FLOOR = 0.05  # of observations: what hardly varies is not blown up


class TickSource(Protocol):
    """Where training draws from: `chunkenv.data.transitions.Transitions` is one."""

    def sample(self, rng: np.random.Generator, batch: int) -> Sequence[np.ndarray]:
        """Observations [B, O], actions [B, A], and the observations one tick later [B, O]."""
        ...


class ModelTraining(Training):
    """The training of one model: `advance()` until `done`, then `model()`; its steps are updates.

    It depends on the ticks, the settings and the seed, and on nothing else.

    Args:
        ticks: where it draws from.
        settings: everything else.
        seed: of the first weights and the draws; at least 0.
        facts: what the model shall say of itself: "level" at least.
    """

    kind = "chunkenv model training"
    report_every, evaluate_every = ROUND, SAVE_EVERY

    def __init__(self, ticks: TickSource, settings: ModelSettings, seed: int, facts: Facts) -> None:
        self._ticks, self.settings, self.total_steps = ticks, settings, settings.updates
        self._seed, self._facts = whole_number("seed", seed, at_least=0), facts
        self._scales = _scales(*ticks.sample(self._rng(0), STATISTICS_TICKS))
        sizes = len(self._scales.mean), len(self._scales.lowest)
        self._state = initial_model_state(settings, *sizes, self._seed)

    @property
    def identity(self) -> Facts:
        """Settings, seed, and checksums of the data."""
        checksums = [float(np.sum(scale, dtype=np.float64)) for scale in self._scales]
        return {"settings": settings_facts(self.settings), "seed": self._seed, "scales": checksums}

    @property
    def steps(self) -> int:
        """Updates that were made."""
        return int(self._state.update)

    def advance(self) -> Metrics:
        """Make 100 updates; the `steps` so far, and the mean `loss`: the share of the changes that is not predicted."""
        batch = self.settings.batch
        drawn = self._ticks.sample(self._rng(1 + self.steps), ROUND * batch)
        observations, actions, after = (each.reshape(ROUND, batch, -1) for each in drawn)
        state, losses = model_updates(self.settings, self._state, self._scales, (observations, actions, after))
        self._state = renew_bases(state)
        return {"steps": self.steps, "loss": float(losses.mean())}

    def model(self) -> LearnedModel:
        """The model as it is now."""
        facts = {**self._facts, "seed": self._seed, "updates": self.steps, **optimizer_facts(self.settings)}
        layers = averaged_weights(self._state.opt_state, self._state.layers)
        return LearnedModel(str(facts["level"]), layers, self._scales, facts)

    def evaluate(self) -> Metrics:
        """Nothing is played."""
        return {}

    def state(self) -> tuple[Arrays, Facts]:
        """Weights and the optimiser's state."""
        return to_arrays(self._state), {}

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        self._state = from_arrays(self._state, arrays)

    def write_results(self, folder: Path) -> None:
        """Write `model.safetensors`, at the end."""
        if self.done:
            self.model().save(folder / MODEL)

    def _rng(self, draw: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, draw])


def _scales(observations: np.ndarray, actions: np.ndarray, after: np.ndarray) -> ModelScales:
    change = after - observations
    means = [each.mean(axis=0, dtype=np.float64).astype(np.float32) for each in (observations, change)]
    std = np.maximum(observations.std(axis=0), STD_FLOOR).astype(np.float32)
    change_std = change.std(axis=0, dtype=np.float64).astype(np.float32)
    return ModelScales(means[0], std, means[1], change_std, actions.min(axis=0), actions.max(axis=0))
