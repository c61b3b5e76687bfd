"""Training a flow policy on windows of demonstrations (imitation)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.optim import optimizer_facts, renew_bases, settings_facts
from chunkenv.agents.flow_matching import FlowSettings, Imitation, Objective, fine_tuned_weights, initial_state, updates
from chunkenv.agents.nets.mixer import ChunkSizes, Weights
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow
from chunkenv.agents.policies.flow_policy import FlowPolicy
from chunkenv.errors import ArgumentError
from chunkenv.training.jax_state import from_arrays, to_arrays
from chunkenv.training.loop import Training
from chunkenv.training.metrics import Metrics
from chunkenv.utils.checks import whole_number

POLICY = "policy.safetensors"
ROUND = 100  # updates in one compiled call
SAVE_EVERY = 1000  # updates
STATISTICS_WINDOWS = 32_768  # that mean and standard deviation are taken from
STD_FLOOR = 0.05  # of observations and actions: what hardly varies is not blown up


class ChunkWindows(Protocol):
    """Where training draws from: `chunkenv.data.Windows` is one."""

    def sample(self, rng: np.random.Generator, batch: int) -> Sequence[np.ndarray]:
        """Observations [B, O], chunks [B, H, A] and a mask [B, H], 0 for rows beyond the episode's end.

        A fourth array, if there is one, has the chunks as they were executed: prefixes are taken from it.
        """
        ...


class Scales(NamedTuple):
    """Means and standard deviations, float32[O] and float32[A]."""

    observation_mean: np.ndarray
    observation_std: np.ndarray
    action_mean: np.ndarray
    action_std: np.ndarray


class FlowTraining(Training):
    """The training of one policy: `advance()` until `done`, then `policy()`; its steps are updates.

    It depends on the windows, the settings and the seed, and on nothing else.

    Args:
        windows: where it draws from.
        settings: everything else.
        seed: of the first weights, the draws and the noise; at least 0.
        facts: what the policy shall say of itself: "level" at least.
        start: a policy to begin with: its weights, its network and its normalisation.
        objective: what is made small; `Imitation` with the settings' prefixes, if None.

    Raises:
        ArgumentError: for a prefix that leaves no row to be learned, or a policy for other windows.
    """

    kind = "chunkenv flow training"
    report_every, evaluate_every = ROUND, SAVE_EVERY

    def __init__(
        self,
        windows: ChunkWindows,
        settings: FlowSettings,
        seed: int,
        facts: Facts,
        start: FlowPolicy | None = None,
        objective: Objective | None = None,
    ) -> None:
        if start is not None:
            flow = start.flow
            settings = dataclasses.replace(
                settings, architecture=flow.architecture, steps=flow.steps, data_std=flow.data_std
            )
        self._windows, self.settings, self.total_steps = windows, settings, settings.updates
        prefixes = Imitation(settings.max_prefix, settings.soft_rows, settings.prefix_decay)
        self._objective = prefixes if objective is None else objective
        self._seed = whole_number("seed", seed, at_least=0)
        self._facts = {**facts, "max_prefix": settings.max_prefix}
        if settings.soft_rows:
            self._facts["soft_rows"] = settings.soft_rows
        observations, chunks, mask, *executed = windows.sample(self._rng(0), STATISTICS_WINDOWS)
        self._facts["prefix"] = ("executed" if executed else "intended") if settings.max_prefix else None
        self._sizes = ChunkSizes(observations.shape[-1], *chunks.shape[1:], prefix=settings.prefix_conditioned)
        self._scales = _scales(observations, chunks, mask) if start is None else _scales_of(start, self._sizes)
        if settings.max_prefix >= self._sizes.horizon:
            raise ArgumentError(
                f"max_prefix={settings.max_prefix} leaves no row of {self._sizes.horizon} to be learned; give less."
            )
        self._start = None if start is None else fine_tuned_weights(start.flow, self._sizes)
        self._state = initial_state(settings, self._sizes, self._seed, self._start)

    @property
    def level(self) -> str:
        """What the data are of."""
        return str(self._facts["level"])

    @property
    def identity(self) -> Facts:
        """Settings, seed, and checksums of the data."""
        checksums = [float(np.sum(scale, dtype=np.float64)) for scale in self._scales]
        settings = settings_facts(self.settings)
        for name in ("soft_rows", "prefix_decay"):  # trainings that were begun before there were any go on
            if not settings[name]:
                del settings[name]
        about = {"settings": settings, "seed": self._seed, "scales": checksums, "prefix": self._facts["prefix"]}
        if self._start is None:
            return about
        return about | {"start": float(sum(np.sum(np.asarray(each, np.float64)) for each in self._start.values()))}

    @property
    def steps(self) -> int:
        """Updates that were made."""
        return int(self._state.update)

    def advance(self) -> Metrics:
        """Make 100 updates; the `steps` so far, the mean `loss`, and the mean norm of the `gradient`."""
        batch = self.settings.batch
        windows = self._windows.sample(self._rng(1 + self.steps), ROUND * batch)
        observations, chunks, mask, *executed = (each.reshape(ROUND, batch, *each.shape[1:]) for each in windows)
        actions, *done = ((each - self._scales.action_mean) / self._scales.action_std for each in (chunks, *executed))
        flow = self._flow(self._state.weights)
        batches = (observations, actions, mask, *done)
        state, losses, norms = updates(self.settings, self._state, flow, self._seed, batches, self._objective)
        self._state = renew_bases(state)
        return {"steps": self.steps, "loss": float(losses.mean()), "gradient": float(norms.mean())}

    def policy(self) -> FlowPolicy:
        """The policy with the averaged weights, or with the newest if the settings say so."""
        facts = {**self._facts, "seed": self._seed, "updates": self.steps, **optimizer_facts(self.settings)}
        chosen = self._state.average if self.settings.averaged else self._state.weights
        weights = {name: jnp.asarray(value) for name, value in chosen.items()}
        return FlowPolicy(self._flow(weights), self._scales.action_mean, self._scales.action_std, facts)

    def evaluate(self) -> Metrics:
        """Nothing is played: the policy is for environments that the training knows nothing of."""
        return {}

    def state(self) -> tuple[Arrays, Facts]:
        """Weights, their average and the optimiser's state."""
        return to_arrays(self._state), {}

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        self._state = from_arrays(self._state, arrays)

    def write_results(self, folder: Path) -> None:
        """Write `policy.safetensors`, at the end."""
        if self.done:
            self.policy().save(folder / POLICY)

    def _rng(self, draw: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, draw])

    def _flow(self, weights: Weights) -> PreconditionedFlow:
        return PreconditionedFlow(
            weights,
            self._scales.observation_mean,
            self._scales.observation_std,
            self.settings.architecture,
            self._sizes,
            self.settings.steps,
            self.settings.data_std,
        )


def _scales(observations: np.ndarray, chunks: np.ndarray, mask: np.ndarray) -> Scales:
    actions = chunks[mask > 0]
    stds = [np.maximum(each.std(axis=0), STD_FLOOR).astype(np.float32) for each in (observations, actions)]
    means = [each.mean(axis=0, dtype=np.float64).astype(np.float32) for each in (observations, actions)]
    return Scales(means[0], stds[0], means[1], stds[1])


def _scales_of(start: FlowPolicy, sizes: ChunkSizes) -> Scales:
    """The means and standard deviations that a policy was trained with."""
    had = start.flow.sizes
    if (had.observation, had.horizon, had.action) != (sizes.observation, sizes.horizon, sizes.action):
        raise ArgumentError(
            f"The policy to begin with makes {had.horizon} rows of {had.action} numbers from {had.observation}, but "
            f"the windows have {sizes.horizon} of {sizes.action} from {sizes.observation}; give data of the same task."
        )
    if had.prefix and not sizes.prefix:
        raise ArgumentError("The policy to begin with goes on from prefixes; give max_prefix, or a plain policy.")
    arrays = (start.flow.observation_mean, start.flow.observation_std, *start.action_scales)
    return Scales(*(np.asarray(each, np.float32) for each in arrays))
