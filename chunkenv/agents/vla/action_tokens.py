"""Chunks of actions as tokens of 256 values, and back: one for each number, or for each frequency.

Two ways. `BinTokens` cuts the range of every number into 256 bins, row by row, as RT-2 does (Brohan et al. 2023, arXiv
2307.15818). `FrequencyTokens` do what FAST does (Pertsch et al. 2025, arXiv 2501.09747): a discrete cosine transform
along time, dimension by dimension, whose rounded coefficients stand lowest frequency first, so that what a smooth chunk
lacks is left out at the end. FAST then joins frequent neighbours by byte-pair encoding, which is not done here: a chunk
of ten rows leaves little to join.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.nets.mlp import Array
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, real_number, whole_number

VALUES = 256
"""Of a token, from 0."""
END = 0
"""Of `FrequencyTokens`: nothing but zeros follows."""
MIDDLE = 128
"""The token of a coefficient of 0."""
KINDS = ("bins", "frequencies")


class ActionTokens(Protocol):
    """What makes tokens of chunks; actions are from -1 to 1.

    Attributes:
        horizon: rows of a chunk, H.
        action_size: numbers in a row, A.
        end: the token behind which nothing counts; None without one.
    """

    @property
    def horizon(self) -> int: ...  # noqa: D102
    @property
    def action_size(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int | None: ...  # noqa: D102

    def encode(self, chunks: Array) -> jax.Array:
        """Chunks [..., H, A] as int32[..., H A], from 0 to 255."""
        ...

    def decode(self, tokens: Array) -> jax.Array:
        """Tokens [..., H A] as float32[..., H, A], from -1 to 1."""
        ...

    def counted(self, tokens: Array, known: Array) -> jax.Array:
        """Which tokens there is something to learn from, float32[..., H A].

        Args:
            tokens: [..., H A].
            known: [..., H], 1 for rows within the episode.
        """
        ...


@dataclass(frozen=True)
class BinTokens:
    """A token for each number: which of 256 bins from -1 to 1 it lies in; decoded, the middle of the bin.

    >>> tokens = BinTokens(horizon=1, action_size=3)
    >>> tokens.encode(np.array([[-1.0, 0.0, 1.0]])).tolist()
    [0, 128, 255]
    """

    horizon: int
    action_size: int

    @property
    def end(self) -> None:
        """There is none."""
        return None

    def encode(self, chunks: Array) -> jax.Array:
        """As `ActionTokens.encode`, row by row."""
        bins = jnp.floor((jnp.asarray(chunks) + 1) / 2 * VALUES).clip(0, VALUES - 1)
        return _flat(bins).astype(jnp.int32)

    def decode(self, tokens: Array) -> jax.Array:
        """As `ActionTokens.decode`; no number is farther from what was encoded than 1 / 256."""
        chunks = (jnp.asarray(tokens) + 0.5) * 2 / VALUES - 1
        return chunks.reshape(*tokens.shape[:-1], self.horizon, self.action_size)

    def counted(self, tokens: Array, known: Array) -> jax.Array:
        """As `ActionTokens.counted`: those of rows within the episode."""
        return jnp.repeat(jnp.asarray(known), self.action_size, axis=-1)


@dataclass(frozen=True)
class FrequencyTokens:
    """A token for each coefficient of the cosine transform, up to the last that is not 0; then `END`.

    Args:
        horizon: rows of a chunk, H.
        action_size: numbers in a row, A.
        scale: coefficients are multiplied by it before they are rounded; FAST's is 10.

    Raises:
        ArgumentError: a scale at which the coefficients of some chunk have no token.
    """

    horizon: int
    action_size: int
    scale: float = 10.0

    def __post_init__(self) -> None:
        real_number("scale", self.scale, at_least=0.0)
        finest = (MIDDLE - 1) / self.horizon**0.5
        if not 0 < self.scale <= finest:
            raise ArgumentError(
                f"scale={self.scale:g} does not fit 256 values for {self.horizon} rows; give more than 0 and at most "
                f"{finest:g}."
            )

    @property
    def end(self) -> int:
        """The token behind which nothing counts."""
        return END

    def encode(self, chunks: Array) -> jax.Array:
        """As `ActionTokens.encode`, frequency by frequency, the lowest first."""
        bounded = jnp.asarray(chunks, jnp.float32).clip(-1, 1)
        coefficients = jnp.round(self.scale * jnp.einsum("fh,...ha->...fa", cosines(self.horizon), bounded))
        flat = _flat(coefficients).astype(jnp.int32)
        return jnp.where(_up_to_the_last(flat != 0), flat + MIDDLE, END)

    def decode(self, tokens: Array) -> jax.Array:
        """As `ActionTokens.decode`; what stands behind the first `END` does not count.

        The root of the mean square of the error is at most 0.5 / scale.
        """
        tokens = jnp.asarray(tokens)
        read = jnp.cumsum(tokens == END, axis=-1) == 0
        flat = jnp.where(read, tokens - MIDDLE, 0) / self.scale
        coefficients = flat.reshape(*tokens.shape[:-1], self.horizon, self.action_size)
        return jnp.einsum("fh,...fa->...ha", cosines(self.horizon), coefficients).clip(-1, 1)

    def counted(self, tokens: Array, known: Array) -> jax.Array:
        """As `ActionTokens.counted`: those of whole chunks, to the first `END`, because each tells of all rows."""
        ended = jnp.cumsum(jnp.asarray(tokens) == END, axis=-1)
        return (ended <= 1) * jnp.asarray(known).min(axis=-1, keepdims=True)


def action_tokens(kind: str, horizon: int, action_size: int) -> ActionTokens:
    """The tokens of a kind, "bins" or "frequencies".

    Raises:
        ArgumentError: another kind, or sizes below 1.
    """
    one_of("tokens", kind, KINDS)
    whole_number("prediction_horizon", horizon, at_least=1)
    whole_number("action_size", action_size, at_least=1)
    return BinTokens(horizon, action_size) if kind == "bins" else FrequencyTokens(horizon, action_size)


def cosines(count: int) -> np.ndarray:
    """The orthonormal discrete cosine transform (DCT-II) of so many numbers, float32[count, count].

    >>> cosines(2).round(3).tolist()
    [[0.7070000171661377, 0.7070000171661377], [0.7070000171661377, -0.7070000171661377]]
    """
    frequencies, places = np.arange(count)[:, None], np.arange(count) + 0.5
    matrix = np.sqrt(2 / count) * np.cos(np.pi * frequencies * places / count)
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _flat(rows: jax.Array) -> jax.Array:
    return rows.reshape(*rows.shape[:-2], -1)


def _up_to_the_last(true: jax.Array) -> jax.Array:
    """Which places are not behind the last that is true, along the last axis."""
    return jnp.flip(jnp.cumsum(jnp.flip(true, -1), axis=-1), -1) > 0
