"""A trained expert as its users need it: from observations to actions in numpy alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.kinetix.engine.layout import N_ACTIONS, N_MOTOR_CHANNELS
from chunkenv.utils.compile import entry

OBSERVATION = "compact"
"""What experts observe: see `chunkenv.kinetix.env.KinetixEnv`."""

FARTHEST = 10.0
"""A normalised observation is clipped to this many standard deviations."""

Layer = tuple[np.ndarray, np.ndarray]


def gains(channels: tuple[int, ...]) -> np.ndarray:
    """The slopes of `squash`, float32[C]: 1 for a motor's channel, 1/2 for a thruster's."""
    return np.where(np.array(channels) < N_MOTOR_CHANNELS, 1.0, 0.5).astype(np.float32)


def squash(raw: Any, gain: np.ndarray, tanh: Any = np.tanh) -> Any:
    """A network's output as actions: tanh for motors, in [-1, 1], the logistic function for thrusters, in [0, 1].

    The logistic function is 1/2 + tanh(x / 2) / 2, so that one formula serves both, for numpy and JAX alike.

    >>> squash(np.array([0.0, 0.0, 9.0, 9.0]), gains((0, 4, 0, 4))).round(2).tolist()
    [0.0, 0.5, 1.0, 1.0]
    """
    return 1 - gain + gain * tanh(gain * raw)


@entry
def affine(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A layer of a batch whose rows lie side by side: float32[in, N] to float32[out, N].

    Each number is added in the order of the inputs, wherever its row stands. BLAS takes other ways for other sizes and
    for the last rows, so that the last bits depend on the batch, and a chaotic level makes another episode of that.
    """
    out = np.empty((kernel.shape[1], x.shape[1]), np.float32)
    for place in range(kernel.shape[1]):
        out[place] = bias[place]
        for source in range(kernel.shape[0]):
            factor = kernel[source, place]
            for row in range(x.shape[1]):
                out[place, row] += factor * x[source, row]
    return out


@dataclass(frozen=True)
class Expert:
    """A policy that acts by one observation, without noise, and knows what it is.

    Attributes:
        level: where it was trained, one of `chunkenv.kinetix.LEVELS`.
        seed: of its training.
        steps: control steps that it was trained for.
        solve_rate: the share of first episodes under action noise that it solved when it was saved; NaN if unknown.
        channels: the channels of the action that it drives, see `chunkenv.kinetix.used_channels`.
        mean: of the observations, float32[O].
        scale: of the observations, float32[O].
        layers: kernel float32[in, out] and bias float32[out] of each layer.
        std: of the Gaussian that it explored with around its action, float32[C]; None if unknown.
        observation: how the environment has to be made: "compact".
    """

    level: str
    seed: int
    steps: int
    solve_rate: float
    channels: tuple[int, ...]
    mean: np.ndarray
    scale: np.ndarray
    layers: tuple[Layer, ...]
    std: np.ndarray | None = None
    observation: str = field(default=OBSERVATION, init=False)

    def actions(self, observations: np.ndarray) -> np.ndarray:
        """The mean actions, float32[N, 6]: motors in [-1, 1], thrusters in [0, 1]; 0 in channels that drive nothing.

        A row's action does not depend on the other rows.

        Args:
            observations: float32[N, O], compact.

        Raises:
            ArgumentError: they have another shape.
        """
        seen = np.asarray(observations, np.float32)
        if seen.ndim != 2 or seen.shape[1] != len(self.mean):
            raise ArgumentError(
                f"observations of shape {seen.shape} are not those of {self.level}: give float32[N, {len(self.mean)}], "
                "from an environment made with observation='compact'."
            )
        actions = np.zeros((len(seen), N_ACTIONS), np.float32)
        actions[:, list(self.channels)] = squash(self._raw(seen), gains(self.channels))
        return actions

    def _raw(self, observations: np.ndarray) -> np.ndarray:
        """The last layer's output, float32[N, C]."""
        normalised = np.clip((observations - self.mean) / self.scale, -FARTHEST, FARTHEST)
        x = np.ascontiguousarray(normalised.T)
        for kernel, bias in self.layers[:-1]:
            x = np.tanh(affine(x, kernel, bias))
        return affine(x, *self.layers[-1]).T
