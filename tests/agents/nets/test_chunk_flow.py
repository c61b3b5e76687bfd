from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.agents.nets.chunk_flow import all_rows, clean_rows, flow_loss, row_times, soft_weights
from chunkenv.strategies import prefix_weights
from chunkenv.utils.euler import euler

RNG = np.random.default_rng(0)
DATA, NOISE, GIVEN = (RNG.normal(size=(2, 3, 1)).astype(np.float32) for _ in range(3))


def test_euler_steps_along_a_straight_path_end_at_the_data():
    np.testing.assert_allclose(euler(lambda chunks, time: DATA - NOISE, NOISE, 4), DATA, atol=1e-6)


def test_euler_steps_ask_for_times_from_noise_to_below_one():
    times = []
    euler(lambda chunks, time: times.append(time) or chunks, NOISE, 4)
    assert times == [0, 0.25, 0.5, 0.75]


def test_a_prefix_is_clean_and_costs_nothing():
    clean = clean_rows(np.array([1, 0]), 3)
    asked = []

    def velocity(path):
        asked.append(path)
        return jnp.asarray(DATA - NOISE) + clean[..., None]  # wrong in clean rows only

    loss = flow_loss(velocity, DATA, NOISE, np.full(2, 0.5), clean, np.ones((2, 3)), GIVEN)
    assert float(loss) == 0
    assert asked[0][0, 0] == GIVEN[0, 0]
    np.testing.assert_allclose(asked[0][1], (DATA[1] + NOISE[1]) / 2, atol=1e-6)


def test_only_known_rows_count():
    known = np.array([[1, 1, 0], [1, 0, 0]], np.float32)
    loss = flow_loss(lambda path: DATA - NOISE + 2, DATA, NOISE, np.zeros(2), jnp.zeros((2, 3)), known)
    assert float(loss) == 4


def test_the_rows_behind_the_longest_prefix_are_never_clean():
    assert all_rows(clean_rows(np.array([2, 0, 9]), 2), 4).tolist() == [[1, 1, 0, 0], [0] * 4, [1, 1, 0, 0]]


@settings(deadline=None, max_examples=30)  # each number of rows is compiled
@given(st.integers(0, 7), st.integers(0, 7), st.integers(2, 8))
def test_soft_rows_have_the_weights_of_the_linear_mask(length, soft, rows):
    found = np.asarray(soft_weights(np.array([length]), np.array([soft]), rows))[0]
    if length + soft <= rows:
        np.testing.assert_allclose(found, prefix_weights(length, length + soft, rows, "linear"), atol=1e-6)
    assert (np.diff(found) <= 0).all()
    assert ((found == 1) == (np.arange(rows) < length)).all()


def test_a_row_given_in_part_is_on_its_path_at_a_time_of_its_own():
    weights = soft_weights(np.array([1, 0]), np.array([1, 0]), 3)
    times, asked = row_times(np.full(2, 0.5), weights), []

    def velocity(path):
        asked.append(path)
        return jnp.asarray(DATA - NOISE)

    clean = clean_rows(np.array([1, 0]), 3)
    assert float(flow_loss(velocity, DATA, NOISE, times, clean, np.ones((2, 3)), GIVEN)) == 0
    own = np.array([[1, 0.75, 0.5], [0.5, 0.5, 0.5]])[..., None]
    expected = own * DATA + (1 - own) * NOISE
    expected[0, 0] = GIVEN[0, 0]
    np.testing.assert_allclose(asked[0], expected, atol=1e-6)
