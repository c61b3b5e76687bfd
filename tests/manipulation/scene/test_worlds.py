"""What is mended in ogbench's scenes."""

import numpy as np

from chunkenv.manipulation.env import ManipulationEnv

ZERO = np.zeros(5, np.float32)


def thrown(env):
    """The environment with its cube far off the table."""
    state = env.get_state()
    state[1 + env.world.cube_addresses[0][0]] = 3.0
    env.set_state(state)
    return env


def test_a_cube_off_the_table_is_put_back_where_the_seed_says(capfd):
    places = []
    for seed in (0, 0, 1):
        env = ManipulationEnv("scene", 1)
        env.reset(seed=seed)
        for _ in range(2):
            thrown(env).step(ZERO)
            places.append(env.facts()["cube_positions"][0])
            low, high = env.world._object_sampling_bounds
            assert (low <= places[-1][:2]).all()
            assert (places[-1][:2] <= high).all()
    np.testing.assert_array_equal(places[0], places[2])
    np.testing.assert_array_equal(places[1], places[3])
    assert (places[0] != places[1]).any()
    assert (places[0] != places[4]).any()
    assert capfd.readouterr().out == ""


def test_the_rescue_is_part_of_the_state():
    env, other = ManipulationEnv("scene", 1), ManipulationEnv("scene", 1)
    env.reset(seed=0)
    other.reset(seed=1)
    thrown(env).step(ZERO)
    other.set_state(env.get_state())
    np.testing.assert_array_equal(other.get_state(), env.get_state())
    np.testing.assert_array_equal(thrown(other).get_state()[env.layout.rescue], env.get_state()[env.layout.rescue])
    np.testing.assert_array_equal(thrown(env).step(ZERO)[0], thrown(other).step(ZERO)[0])


def test_time_begins_with_the_episode():
    env = ManipulationEnv("cube-double", 1)
    env.reset(seed=0)
    assert env.facts()["time"] == 0
    env.step(ZERO)
    assert abs(env.facts()["time"] - env.control_dt) < 1e-12


def test_what_is_random_does_not_move_the_stream_of_the_positions():
    env = ManipulationEnv("cube-double", 1)
    env.reset(seed=0)
    theirs = np.random.Generator(np.random.PCG64(0))
    env.world.begin(theirs, 1, permute=False)
    twin = np.random.Generator(np.random.PCG64(0))
    twin.random(2 * 4 + 2 * (2 + 1))  # the arm twice, and place and yaw of two cubes
    assert theirs.bit_generator.state == twin.bit_generator.state
