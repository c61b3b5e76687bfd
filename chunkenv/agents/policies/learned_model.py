"""A learned model of the world: a small network that predicts one tick, rolled over the actions to come.

How it is trained is in `chunkenv.agents.delay_aware.model_learning` and `chunkenv.training.model_training`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.common.rounding import FINE, named, restore, rounded
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.mlp import Array, Layers
from chunkenv.errors import ArgumentError

KIND = "chunkenv learned model"
FARTHEST = 8.0  # standard deviations: what lies farther out was not seen in training, and is clipped


class ModelScales(NamedTuple):
    """What the numbers of the data were like.

    Attributes:
        mean: float32[O], of observations.
        std: float32[O].
        change_mean: float32[O], of the difference of two observations, one tick apart.
        change_std: float32[O]; 0 for what never moves.
        lowest: float32[A], the smallest actions; what lies outside is clipped, as the world may do.
        highest: float32[A], the largest.
    """

    mean: Array
    std: Array
    change_mean: Array
    change_std: Array
    lowest: Array
    highest: Array


def normalised_change(layers: Layers, scales: ModelScales, observations: Array, actions: Array) -> jax.Array:
    """How observations [..., O] change with actions [..., A], in standard deviations: the network's output."""
    seen = ((observations - scales.mean) / scales.std).clip(-FARTHEST, FARTHEST)
    return mlp.apply(layers, seen, actions.clip(scales.lowest, scales.highest))


@dataclass(frozen=True)
class LearnedModel:
    """Predicts the observation of the next tick, and with it that of the ticks after.

    It is a `chunkenv.strategies.WorldModel`. It learned from actions as they were intended, so that it expects what
    comes of them under the noise of the data.

    Attributes:
        level: the Kinetix level, or what else the data were said to be of.
        layers: of the network.
        scales: of what goes into it and comes out.
        facts: how it was made.
    """

    level: str
    layers: Layers
    scales: ModelScales
    facts: Facts

    def predict(self, observations: np.ndarray, prefix: np.ndarray, prefix_length: NDArray[np.int64]) -> np.ndarray:
        """The observations, float32[N, O], after so many ticks of each prefix.

        Args:
            observations: float32[N, O].
            prefix: float32[N, T, A].
            prefix_length: int[N], from 0 to T.

        Raises:
            ArgumentError: observations or actions of another size.
        """
        observations, prefix = np.asarray(observations), np.asarray(prefix, np.float32)
        sizes = len(self.scales.mean), len(self.scales.lowest)
        if (observations.shape[1:], prefix.shape[2:], observations.dtype.kind) != (sizes[:1], sizes[1:], "f"):
            raise ArgumentError(
                f"The model of {self.level} was given {observations.dtype}{list(observations.shape)} and actions "
                f"{list(prefix.shape)}, but needs float32[N, {sizes[0]}] and [N, T, {sizes[1]}]; make the environment "
                "with observation='compact'."
            )
        return np.array(_roll(self.layers, self.scales, observations.astype(np.float32), prefix, prefix_length))

    def save(self, path: Path | str, small: bool = False) -> None:
        """Write the model into one safetensors file, atomically; the same model gives the same bytes.

        Args:
            path: of the file.
            small: whether to round matrices to 8 bits, with a scale for each column; a name that ends in
                ".xz" compresses the file.
        """
        layers = enumerate(self.layers)
        weights = {f"{index}/{name}": np.asarray(value) for index, layer in layers for name, value in layer.items()}
        arrays = rounded(weights, FINE) if small else named(weights)
        arrays |= {f"scale/{name}": np.asarray(value) for name, value in self.scales._asdict().items()}
        checkpoint_file.write(Path(path), KIND, arrays, {"level": self.level, "facts": self.facts})


def load_learned_model(path: Path | str) -> LearnedModel:
    """The model in a file that `LearnedModel.save` wrote.

    Raises:
        ArgumentError: there is no such file, or it holds something else.
    """
    arrays, facts = checkpoint_file.read(Path(path), KIND)
    weights = restore(arrays)
    layers = [
        {name: jnp.asarray(weights[f"{index}/{name}"]) for name in ("kernel", "bias")}
        for index in range(len(weights) // 2)
    ]
    scales = ModelScales(*(arrays[f"scale/{name}"] for name in ModelScales._fields))
    return LearnedModel(facts["level"], layers, scales, facts["facts"])


@jax.jit
def _roll(layers: Layers, scales: ModelScales, observations: Array, prefix: Array, lengths: Array) -> jax.Array:
    def tick(seen: jax.Array, given: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        row, actions = given
        change = scales.change_mean + scales.change_std * normalised_change(layers, scales, seen, actions)
        return jnp.where((row < lengths)[:, None], seen + change, seen), None

    rows = jnp.arange(prefix.shape[1]), jnp.swapaxes(prefix, 0, 1)
    return jax.lax.scan(tick, jnp.asarray(observations), rows)[0]
