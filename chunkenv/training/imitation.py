"""Training a flow policy on windows of demonstrations (imitation)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common import checkpoint_file as checkpoints
from chunkenv.agents.flow_matching import FlowSettings, begin, updates
from chunkenv.agents.nets.mixer import Sizes, Weights
from chunkenv.agents.policies.flow_policy import Denoiser, FlowPolicy
from chunkenv.errors import ArgumentError
from chunkenv.training.metrics import Journal, Metrics
from chunkenv.utils.checks import whole_number

KIND = "chunkenv flow training"
POLICY, UNFINISHED = "policy.safetensors", "resume.safetensors"
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


class FlowTraining:
    """The training of one policy: `step()` until `done`, then `policy()`.

    It depends on the windows, the settings and the seed, and on nothing else: a training that went on from a file is
    the same, to the bit, as one that was never interrupted.

    Args:
        windows: where it draws from.
        settings: everything else.
        seed: of the first weights, the draws and the noise; at least 0.
        facts: what the policy shall say of itself: "level" at least.

    Raises:
        ArgumentError: for a prefix that leaves no row to be learned.
    """

    def __init__(self, windows: ChunkWindows, settings: FlowSettings, seed: int, facts: dict[str, Any]) -> None:
        self._windows, self.settings = windows, settings
        self._seed = whole_number("seed", seed, at_least=0)
        self._facts = {**facts, "max_prefix": settings.max_prefix}
        observations, chunks, mask, *executed = windows.sample(self._rng(0), STATISTICS_WINDOWS)
        self._facts["prefix"] = ("executed" if executed else "intended") if settings.max_prefix else None
        self._scales = _scales(observations, chunks, mask)
        self._sizes = Sizes(observations.shape[1], *chunks.shape[1:], prefix=settings.prefix_conditioned)
        if settings.max_prefix >= self._sizes.horizon:
            raise ArgumentError(
                f"max_prefix={settings.max_prefix} leaves no row of {self._sizes.horizon} to be learned; give less."
            )
        self._state = begin(settings, self._sizes, self._seed)

    @property
    def done(self) -> bool:
        """Whether all updates were made."""
        return self.update >= self.settings.updates

    @property
    def update(self) -> int:
        """How many updates were made."""
        return int(self._state.update)

    def step(self) -> Metrics:
        """Make 100 updates, and say of them: `steps` so far, the mean `loss`, and the mean norm of the `gradient`."""
        batch = self.settings.batch
        drawn = self._windows.sample(self._rng(1 + self.update), ROUND * batch)
        observations, chunks, mask, *executed = (each.reshape(ROUND, batch, *each.shape[1:]) for each in drawn)
        actions, *done = ((each - self._scales.action_mean) / self._scales.action_std for each in (chunks, *executed))
        denoiser = self._denoiser(self._state.weights)
        batches = (observations, actions, mask, *done)
        self._state, losses, norms = updates(self.settings, self._state, denoiser, self._seed, batches)
        return {"steps": self.update, "loss": float(losses.mean()), "gradient": float(norms.mean())}

    def policy(self) -> FlowPolicy:
        """The policy with the averaged weights."""
        facts = {**self._facts, "seed": self._seed, "updates": self.update}
        average = {name: jnp.asarray(value) for name, value in self._state.average.items()}
        return FlowPolicy(self._denoiser(average), self._scales.action_mean, self._scales.action_std, facts)

    def save(self, path: Path) -> None:
        """Write everything that is needed to go on, whole or not at all."""
        arrays = {str(index): np.asarray(leaf) for index, leaf in enumerate(jax.tree.leaves(self._state))}
        checkpoints.write(path, KIND, arrays, {"identity": self._identity()})

    def load(self, path: Path) -> None:
        """Go on from a file that `save` wrote.

        Raises:
            ArgumentError: it belongs to a training with other settings, another seed or other data.
        """
        arrays, facts = checkpoints.read(path, KIND)
        if facts["identity"] != self._identity():
            raise ArgumentError(
                f"{path} belongs to a training with other settings, seed or data; choose another folder, or delete it."
            )
        leaves, structure = jax.tree.flatten(self._state)
        found = [jnp.asarray(arrays[str(index)]).reshape(leaf.shape) for index, leaf in enumerate(leaves)]
        self._state = jax.tree.unflatten(structure, found)

    def _identity(self) -> dict[str, Any]:
        """What two trainings must share for one to go on from the other's file."""
        checksums = [float(np.sum(scale, dtype=np.float64)) for scale in self._scales]
        record = {"settings": dataclasses.asdict(self.settings), "seed": self._seed, "scales": checksums}
        record["prefix"] = self._facts["prefix"]
        return json.loads(json.dumps(record))

    def _rng(self, draw: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, draw])

    def _denoiser(self, weights: Weights) -> Denoiser:
        return Denoiser(
            weights,
            self._scales.observation_mean,
            self._scales.observation_std,
            self.settings.architecture,
            self._sizes,
            self.settings.steps,
            self.settings.data_std,
        )


def resume_or_begin(
    windows: ChunkWindows, settings: FlowSettings, seed: int, facts: dict[str, Any], folder: Path
) -> FlowTraining:
    """A new training, or the one that was interrupted in this folder.

    Raises:
        ArgumentError: the folder holds a training with other settings, another seed or other data.
    """
    training = FlowTraining(windows, settings, seed, facts)
    if (folder / UNFINISHED).exists():
        training.load(folder / UNFINISHED)
    return training


def train(training: FlowTraining, folder: Path) -> Iterator[Metrics]:
    """Train to the end; yields what is written into `metrics.jsonl`, every 100 updates.

    The folder gets `policy.safetensors` at the end, and now and then what is needed to go on.
    """
    journal = Journal(folder, training.update)
    while not training.done:
        metrics = training.step()
        journal.write(metrics)
        if training.done or training.update % SAVE_EVERY == 0:
            training.save(folder / UNFINISHED)
        yield metrics
    training.policy().save(folder / POLICY)


def _scales(observations: np.ndarray, chunks: np.ndarray, mask: np.ndarray) -> Scales:
    actions = chunks[mask > 0]
    stds = [np.maximum(each.std(axis=0), STD_FLOOR).astype(np.float32) for each in (observations, actions)]
    means = [each.mean(axis=0, dtype=np.float64).astype(np.float32) for each in (observations, actions)]
    return Scales(means[0], stds[0], means[1], stds[1])
