"""Crops of frames: drawn, cut out, and how one has to be moved and stretched to become another.

A box is (top, left, height, width) in shares of the frame, so that the whole frame is (0, 0, 1, 1).
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from chunkenv.agents.nets.mlp import Array
from chunkenv.utils.checks import real_number

WHOLE = (0.0, 0.0, 1.0, 1.0)
"""The box of the whole frame."""
BYTE = 255.0


def draw_boxes(key: jax.Array, shape: tuple[int, ...], smallest: float) -> jax.Array:
    """Boxes within the frame, float32[*shape, 4]: height and width uniform from `smallest` to 1, then the corner.

    Raises:
        ArgumentError: `smallest` is not above 0, or above 1.
    """
    real_number("smallest", smallest, at_least=0.01, at_most=1.0)
    for_sides, for_corners = jax.random.split(key)
    sides = jax.random.uniform(for_sides, (*shape, 2), minval=smallest, maxval=1.0)
    corners = jax.random.uniform(for_corners, (*shape, 2)) * (1 - sides)
    return jnp.concatenate([corners, sides], axis=-1)


@partial(jax.jit, static_argnums=2)
def cut(frames: Array, boxes: Array, size: int) -> jax.Array:
    """What is in each box, stretched to size x size by linear interpolation.

    Args:
        frames: [N, S, S, 3], from 0 to 255.
        boxes: [N, 4].
        size: of the crops, in pixels.

    Returns:
        float32[N, size, size, 3], from -1 to 1.
    """

    def cut_one(frame: jax.Array, box: jax.Array) -> jax.Array:
        scale = size / (box[2:] * frame.shape[0])
        shift = -box[:2] * frame.shape[0] * scale
        shape = (size, size, frame.shape[-1])
        return jax.image.scale_and_translate(frame, shape, (0, 1), scale, shift, "linear", antialias=False)

    return 2 * jax.vmap(cut_one)(jnp.asarray(frames, jnp.float32) / BYTE, jnp.asarray(boxes)) - 1


def move_between(first: Array, second: Array) -> jax.Array:
    """The action that turns the first box into the second: float32[..., 4].

    How far the centre moves, down and to the right, in sides of the first box, and the logarithms of how much taller
    and wider it gets.

    >>> [round(float(number), 2) for number in move_between(jnp.array(WHOLE), jnp.array([0.0, 0.5, 0.5, 0.5]))]
    [-0.25, 0.25, -0.69, -0.69]
    """
    first, second = jnp.asarray(first), jnp.asarray(second)
    centres = [box[..., :2] + box[..., 2:] / 2 for box in (first, second)]
    return jnp.concatenate(
        [(centres[1] - centres[0]) / first[..., 2:], jnp.log(second[..., 2:] / first[..., 2:])], axis=-1
    )
