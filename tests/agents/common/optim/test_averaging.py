import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chunkenv.agents import averaged_weights
from chunkenv.agents.common.optim import track_average
from chunkenv.errors import ArgumentError

WEIGHTS = {"w": jnp.float32(0)}


def descend(steps, decay=0.5):
    optimizer = optax.chain(optax.sgd(1.0), track_average(decay))
    weights, state = WEIGHTS, optimizer.init(WEIGHTS)
    for step in steps:
        change, state = optimizer.update({"w": jnp.float32(-step)}, state, weights)
        weights = optax.apply_updates(weights, change)
    return state, weights


def test_by_hand():
    """Weights of 1, 3 and 7, of which the newest counts a half, the one before a quarter, and so on."""
    state, weights = descend([1, 2, 4])
    assert float(weights["w"]) == 7
    assert float(averaged_weights(state, weights)["w"]) == pytest.approx((7 / 2 + 3 / 4 + 1 / 8) / (7 / 8))


def test_weights_that_stand_still_are_their_average_from_the_first_update_on():
    for count in (1, 3, 50):
        state, weights = descend([5] + [0] * (count - 1), decay=0.999)
        np.testing.assert_allclose(averaged_weights(state, weights)["w"], 5, rtol=1e-5)


def test_before_the_first_update_the_weights_are_the_average():
    state = track_average().init({"w": jnp.float32(3)})
    assert float(averaged_weights(state, {"w": jnp.float32(3)})["w"]) == 3


def test_without_an_average_the_weights_are_returned():
    assert averaged_weights(optax.adam(0.1).init(WEIGHTS), WEIGHTS) is WEIGHTS


def test_a_wrong_decay_is_refused():
    with pytest.raises(ArgumentError, match=r"decay=1\.0"):
        track_average(1.0)
