"""Training a correction head (A2C2) on labelled ticks of the policy's own runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.optim import averaged_weights, optimizer_facts, renew_bases, settings_facts
from chunkenv.agents.delay_aware.residual_learning import HeadSettings, head_updates, initial_head
from chunkenv.agents.policies.correction_head import CorrectionHead, head_inputs
from chunkenv.training.correction_labels import LabelledTicks
from chunkenv.training.jax_state import from_arrays, to_arrays
from chunkenv.training.loop import Training
from chunkenv.training.metrics import Metrics
from chunkenv.utils.checks import whole_number

HEAD = "head.safetensors"
ROUND = 100  # updates in one compiled call
SAVE_EVERY = 1000  # updates
STD_FLOOR = 0.05  # of observations and actions: what hardly varies is not blown up


class HeadTraining(Training):
    """The training of one head: `advance()` until `done`, then `head()`; its steps are updates.

    It depends on the ticks, the settings and the seed, and on nothing else.

    Args:
        ticks: what it learns from.
        settings: everything else.
        seed: of the first weights and the draws; at least 0.
        facts: what the head shall say of itself: "level" and "label" at least.
    """

    kind = "chunkenv correction training"
    report_every, evaluate_every = ROUND, SAVE_EVERY

    def __init__(self, ticks: LabelledTicks, settings: HeadSettings, seed: int, facts: Facts) -> None:
        self._ticks, self.settings, self.total_steps = ticks, settings, settings.updates
        self._seed, self._facts = whole_number("seed", seed, at_least=0), facts
        seen = np.concatenate([ticks.observations, ticks.rows], axis=1)
        self._mean = seen.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._scale = np.maximum(seen.std(axis=0, dtype=np.float64), STD_FLOOR).astype(np.float32)
        self._state = initial_head(settings, seen.shape[1] + 2, ticks.labels.shape[1], self._seed)

    @property
    def identity(self) -> Facts:
        """Settings, seed, and checksums of the data."""
        sums = [float(np.sum(each, dtype=np.float64)) for each in (self._mean, self._scale, self._ticks.labels)]
        settings = settings_facts(self.settings)
        return {"settings": settings, "seed": self._seed, "label": self._facts["label"], "sums": sums}

    @property
    def steps(self) -> int:
        """Updates that were made."""
        return int(self._state.update)

    @property
    def uncorrected(self) -> float:
        """The mean squared error of the planned actions, which the head is to lower."""
        return float(np.square(self._ticks.labels - self._ticks.rows).mean(dtype=np.float64))

    def advance(self) -> Metrics:
        """Make 100 updates; the `steps` so far and the mean `loss`."""
        rng = np.random.default_rng([self._seed, 1 + self.steps])
        drawn = rng.integers(len(self._ticks.labels), size=ROUND * self.settings.batch)
        observations, rows, places, labels = (each[drawn] for each in self._ticks[:4])
        inputs = head_inputs(observations, rows, places, self._mean, self._scale, self._ticks.horizon)
        batches = (each.reshape(ROUND, self.settings.batch, -1) for each in (inputs, labels - rows))
        state, losses = head_updates(self.settings, self._state, *batches)
        self._state = renew_bases(state)
        return {"steps": self.steps, "loss": float(losses.mean())}

    def head(self) -> CorrectionHead:
        """The head as it is now."""
        learned = averaged_weights(self._state.opt_state, self._state.layers)
        layers = tuple({name: np.asarray(value) for name, value in layer.items()} for layer in learned)
        counts = {"seed": self._seed, "updates": self.steps, "uncorrected": self.uncorrected}
        facts = {**self._facts, **counts, **optimizer_facts(self.settings)}
        about = (str(self._facts["level"]), str(self._facts["label"]), self._ticks.horizon)
        return CorrectionHead(*about, self._mean, self._scale, layers, facts)

    def evaluate(self) -> Metrics:
        """Nothing: the error on ticks does not predict what a head solves."""
        return {}

    def state(self) -> tuple[Arrays, Facts]:
        """Weights and the optimiser's state."""
        return to_arrays(self._state), {}

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        self._state = from_arrays(self._state, arrays)

    def write_results(self, folder: Path) -> None:
        """Write `head.safetensors`, at the end."""
        if self.done:
            self.head().save(folder / HEAD)
