"""The head of A2C2 at work: a small, fast network that adds to the planned action in every tick, in NumPy alone.

Source: Asynchronous Action Chunk Correction, A2C2 (arXiv 2509.23224). Two hidden layers of 512 with layer norm are what
a public re-making of its Kinetix study found necessary (papadoster/jit-reflex, docs/results/a2c2-fix.md).

How a head is trained is in `chunkenv.agents.delay_aware.residual_learning` and `chunkenv.training.correction`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.rounding import FINE, named, restore, rounded
from chunkenv.errors import ArgumentError
from chunkenv.utils.compile import entry

KIND = "chunkenv correction head"
LABELS = ("expert", "policy")
"""What a head learns: the action of an expert, or the first row of a fresh chunk of the policy."""
FARTHEST = 10.0  # standard deviations: what lies farther out was not seen in training, and is clipped
EPSILON = 1e-6  # of the layer norm's variance


@dataclass(frozen=True)
class CorrectionHead:
    """What is added to a planned action, given the newest observation, that action and its place in the chunk.

    It is what the argument `correction` of `chunkenv.ChunkedExecution` takes. Rows of a batch do not depend on one
    another, to the bit, and nothing is random.

    Attributes:
        level: the Kinetix level, or what else the policy was said to be for.
        label: one of `LABELS`.
        horizon: rows in a chunk, H.
        mean: of observations and planned actions, float32[O + A].
        scale: their standard deviations, float32[O + A].
        layers: of each layer `kernel` [in, out] and `bias` [out]; of hidden ones `scale` and `shift` [out], too.
        facts: how it was made.
    """

    level: str
    label: str
    horizon: int
    mean: np.ndarray
    scale: np.ndarray
    layers: tuple[Arrays, ...]
    facts: Facts

    def correct(
        self, observation: np.ndarray, row: np.ndarray, row_index: int, tick: int, rng: np.random.Generator
    ) -> np.ndarray:
        """What is added to one row, float32[A]; see `correct_batch`."""
        return self.residuals(np.asarray(observation)[None], row[None], np.array([row_index]))[0]

    def correct_batch(
        self,
        observations: np.ndarray,
        rows: np.ndarray,
        row_index: np.ndarray,
        tick: np.ndarray,
        rngs: tuple[np.random.Generator, ...],
    ) -> np.ndarray:
        """What is added to the rows of N environments, float32[N, A]; 0 where `row_index` is -1.

        Args:
            observations: float32[N, O], of this tick.
            rows: float32[N, A], as planned.
            row_index: int64[N], the place of each in its chunk.
            tick: is not looked at.
            rngs: are not drawn from.

        Raises:
            ArgumentError: observations of another shape.
        """
        added, acting = np.zeros_like(rows), row_index >= 0
        added[acting] = self.residuals(observations[acting], rows[acting], row_index[acting])
        return added

    def residuals(self, observations: np.ndarray, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The network's output, float32[N, A], for float32[N, O], float32[N, A] and int[N]."""
        size = len(self.mean) - rows.shape[1]
        if observations.shape[1:] != (size,):
            raise ArgumentError(
                f"The correction head of {self.level} was given observations of shape {list(observations.shape)}, but "
                f"needs [N, {size}]; make the environment with observation='compact'."
            )
        x = head_inputs(observations, rows, places, self.mean, self.scale, self.horizon)
        for layer in self.layers[:-1]:
            x = _hidden(layer, affine_rows(x, layer["kernel"], layer["bias"]))
        return affine_rows(x, self.layers[-1]["kernel"], self.layers[-1]["bias"])

    def save(self, path: Path | str, small: bool = False) -> None:
        """Write the head into one safetensors file, atomically; the same head gives the same bytes.

        Args:
            path: of the file.
            small: whether to round matrices to 8 bits, with a scale for each column; a name that ends in
                ".xz" compresses the file.
        """
        layers = enumerate(self.layers)
        weights = {f"{index}/{name}": value for index, layer in layers for name, value in layer.items()}
        arrays = rounded(weights, FINE) if small else named(weights)
        facts = {"level": self.level, "label": self.label, "horizon": self.horizon, "facts": self.facts}
        checkpoint_file.write(Path(path), KIND, arrays | {"mean": self.mean, "scale": self.scale}, facts)


def load_correction_head(path: Path | str) -> CorrectionHead:
    """The head in a file that `CorrectionHead.save` wrote.

    Raises:
        ArgumentError: there is no such file, or it holds something else.
    """
    arrays, facts = checkpoint_file.read(Path(path), KIND)
    layers: list[Arrays] = []
    for name, value in sorted(restore(arrays).items(), key=lambda item: int(item[0].partition("/")[0])):
        index, _, part = name.partition("/")
        layers += [{}] * (int(index) == len(layers))
        layers[int(index)] = layers[int(index)] | {part: value}
    about = (facts["level"], facts["label"], facts["horizon"])
    return CorrectionHead(*about, arrays["mean"], arrays["scale"], tuple(layers), facts["facts"])


def head_inputs(
    observations: np.ndarray, rows: np.ndarray, places: np.ndarray, mean: np.ndarray, scale: np.ndarray, horizon: int
) -> np.ndarray:
    """What the network is given, float32[N, O + A + 2]: all in standard deviations, and the place as an angle.

    The angle's cosine and sine are the form that the method's released code has (htrbao/a2c2-kinetix).

    >>> head_inputs(np.ones((1, 1)), np.zeros((1, 1)), np.array([2]), np.zeros(2), np.full(2, 0.5), 8).round(2)
    array([[2., 0., 0., 1.]], dtype=float32)
    """
    seen = np.clip((np.concatenate([observations, rows], axis=1) - mean) / scale, -FARTHEST, FARTHEST)
    angle = places * (2 * np.pi / horizon)
    return np.concatenate([seen, np.cos(angle)[:, None], np.sin(angle)[:, None]], axis=1).astype(np.float32)


@entry
def affine_rows(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A layer of a batch: float32[N, in] to float32[N, out].

    Each number is added in the order of the inputs, wherever its row stands, so that a row does not depend on the
    batch, as BLAS would have it. The loop over outputs lies inside, because a tick asks for one row, or for few. Inputs
    that are 0, as half of the hidden ones are, are left out.
    """
    out = np.empty((x.shape[0], kernel.shape[1]), np.float32)
    for row in range(x.shape[0]):
        out[row] = bias
    for source in range(kernel.shape[0]):
        for row in range(x.shape[0]):
            factor = x[row, source]
            if factor != 0:
                for place in range(kernel.shape[1]):
                    out[row, place] += factor * kernel[source, place]
    return out


def _hidden(layer: Arrays, x: np.ndarray) -> np.ndarray:
    """Layer norm, then ReLU."""
    centred = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + EPSILON)
    return np.maximum(centred / spread * layer["scale"] + layer["shift"], 0)
