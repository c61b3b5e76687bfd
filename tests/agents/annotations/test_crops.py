import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.annotations import cut, draw_boxes, move_between
from chunkenv.agents.annotations.crops import WHOLE
from chunkenv.errors import ArgumentError

FRAME = np.random.default_rng(0).integers(256, size=(8, 8, 3)).astype(np.uint8)


def test_the_whole_frame_is_cut_as_it_is_and_a_quarter_pixel_by_pixel():
    boxes = np.array([WHOLE, (0.5, 0.0, 0.5, 0.5)])
    for box, size, part in zip(boxes, (8, 4), (FRAME, FRAME[4:, :4]), strict=True):
        found = cut(FRAME[None], box[None], size)[0]
        np.testing.assert_allclose((found + 1) * 127.5, part, atol=1e-3)


def test_boxes_lie_within_the_frame_and_are_no_smaller_than_asked_for():
    boxes = np.asarray(draw_boxes(jax.random.key(0), (50, 20), 0.3))
    assert boxes.shape == (50, 20, 4)
    assert boxes[..., :2].min() >= 0
    assert (boxes[..., :2] + boxes[..., 2:]).max() <= 1 + 1e-6
    assert 0.3 <= boxes[..., 2:].min() < 0.32
    with pytest.raises(ArgumentError, match="smallest=0"):
        draw_boxes(jax.random.key(0), (1,), 0.0)


def test_a_move_says_where_the_next_crop_is_whatever_the_first_one_was():
    """Seen from the crop itself: a move half a side to the right is the same from a large and from a small crop."""
    large, small = jnp.array([0.0, 0.0, 0.4, 0.4]), jnp.array([0.3, 0.3, 0.2, 0.2])
    right = jnp.array([0.0, 0.5, 0.0, 0.0])
    moves = [move_between(box, box + right * jnp.array([0, box[3], 0, 0])) for box in (large, small)]
    np.testing.assert_allclose(moves, np.tile([0, 0.5, 0, 0], (2, 1)), atol=1e-6)
    np.testing.assert_allclose(move_between(small, small), np.zeros(4), atol=1e-6)
