"""Larger and smaller networks of the same architecture: how many parameters they have, and which has so many."""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left
from functools import lru_cache

import jax

from chunkenv.agents.nets import mixer
from chunkenv.agents.nets.mixer import Architecture, ChunkSizes
from chunkenv.utils.checks import whole_number

WIDTHS = range(64, 2**14, 64)
"""Multiples of what hardware likes."""


@lru_cache
def count_parameters(architecture: Architecture, sizes: ChunkSizes) -> int:
    """How many numbers the weights of a network are.

    >>> count_parameters(Architecture(), ChunkSizes(observation=180, horizon=8, action=6))
    401040
    """
    weights = jax.eval_shape(lambda: mixer.initial_weights(architecture, sizes, 0))
    return sum(math.prod(each.shape) for each in weights.values())


def architecture_of_size(like: Architecture, sizes: ChunkSizes, parameters: int) -> Architecture:
    """The architecture with nearly so many parameters: deeper, and as much wider as it takes.

    Blocks grow with the cube root of the size, so that width and depth grow alike; the layers inside a branch keep
    their ratio to the width.

    Args:
        like: gives the kind, the ratio and the depth to begin with.
        sizes: of what the network reads and writes.
        parameters: about how many are wanted, at least 1.

    Raises:
        ArgumentError: parameters below 1.
    """
    growth = whole_number("parameters", parameters, at_least=1) / count_parameters(like, sizes)
    blocks = max(1, round(like.blocks * growth ** (1 / 3)))

    def count(width: int) -> int:
        return count_parameters(_of_width(like, width, blocks), sizes)

    place = bisect_left(WIDTHS, parameters, key=count)
    near = WIDTHS[max(place - 1, 0) : place + 1]
    return _of_width(like, min(near, key=lambda width: abs(count(width) - parameters)), blocks)


def _of_width(like: Architecture, width: int, blocks: int) -> Architecture:
    hidden = round(width * like.hidden / like.width)
    return dataclasses.replace(like, width=width, hidden=hidden, blocks=blocks)
