from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from chunkenv.agents.nets.chunk_flow import all_rows, clean_rows, euler, flow_loss

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
