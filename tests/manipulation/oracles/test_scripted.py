"""ogbench's primitives: what they draw from, how the wrist is reachable_yaw, and copies that go their own way."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.errors import ArgumentError
from chunkenv.manipulation.oracles.cubes import plan_grasp
from chunkenv.manipulation.oracles.scripted import WOUND_UP, Scripts, reachable_yaw
from chunkenv.manipulation.oracles.subgoal import SubGoal
from tests.manipulation.oracles.scenes import cubes

FACTS = cubes([(0.35, 0.1, 0.02)], [(0.5, -0.1, 0.02)])
GOAL = plan_grasp(FACTS, 0, (0.5, -0.1, 0.02))


def start(style, seed=0):
    scripts = Scripts("cube-single", style)
    scripts.begin(GOAL, FACTS, np.random.default_rng(seed))
    return scripts


@pytest.mark.parametrize("style", ["markov", "plan"])
def test_what_is_drawn_comes_from_the_generator_and_the_global_one_is_left_alone(style):
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (vars(start(style, seed)._script) for seed in (3, 3, 4))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    drawn = "_plan" if style == "plan" else "_final_pos"
    np.testing.assert_array_equal(first[drawn], again[drawn])
    assert first[drawn].shape != other[drawn].shape or not np.allclose(first[drawn], other[drawn])


@pytest.mark.parametrize("style", ["markov", "plan"])
def test_a_copy_goes_its_own_way_and_takes_the_same_one(style):
    scripts = start(style)
    twin = copy.copy(scripts)
    for _ in range(5):
        moved = scripts.action(FACTS)
    np.testing.assert_array_equal([twin.action(FACTS) for _ in range(5)][-1], moved)


def test_the_gripper_sets_out_for_the_cube_open():
    action = start("markov").action(FACTS)
    assert action[1] == 1.0  # the cube is to the left
    assert action[4] == -1.0


def test_what_is_held_off_its_middle_is_brought_to_the_target_all_the_same():
    held = FACTS | {
        "cube_positions": np.array([[0.49, -0.1, 0.02]]),
        "effector_position": np.array([0.5, -0.1, 0.02]),
        "gripper_contact": 1.0,
    }
    scripts = Scripts("cube-single", "markov")
    scripts.begin(GOAL, held, np.random.default_rng(0))
    info = scripts._info(held)
    np.testing.assert_allclose(info["privileged/block_0_pos"], held["effector_position"])
    np.testing.assert_allclose(info["privileged/target_block_pos"], [0.51, -0.1, 0.02])


@pytest.mark.parametrize(("yaw", "sinks"), [(0.0, True), (0.6, False)])
def test_the_gripper_turns_before_it_sinks(yaw, sinks):
    above = FACTS | {"effector_position": np.array([0.35, 0.1, 0.1]), "effector_yaw": yaw}
    scripts = Scripts("cube-single", "markov")
    scripts.begin(GOAL, above, np.random.default_rng(0))
    action = scripts.action(above)
    assert (action[2] < 0) == sinks
    assert (abs(action[3]) == 1) != sinks


def on_the_cube(opening, contact, height=0.02):
    """The action of a gripper on the cube, whose fingers have just been open."""
    facts = FACTS | {"effector_position": np.array([0.35, 0.1, height]), "gripper_contact": contact}
    scripts = start("markov")
    scripts.action(facts)
    return scripts.action(facts | {"gripper_opening": opening})


def test_the_gripper_lifts_when_its_fingers_are_at_rest():
    np.testing.assert_array_equal(on_the_cube(opening=0.4, contact=1.0)[:3], 0.0)
    assert on_the_cube(opening=0.01, contact=1.0)[2] == 1.0


def test_the_gripper_rises_from_a_cube_that_it_has_lost_and_opens():
    np.testing.assert_array_equal(on_the_cube(opening=0.8, contact=0.0, height=0.06)[[0, 1, 2, 4]], [0, 0, 1, -1])


def test_a_button_is_pressed_closed_in_a_puzzle():
    facts = FACTS | {"button_tops": np.array([[0.4, 0.0, 0.12]]), "button_states": np.array([0])}
    scripts = Scripts("puzzle-3x3", "markov")
    scripts.begin(SubGoal("button", 0, (1.0,)), facts, np.random.default_rng(0))
    assert scripts.action(facts)[4] == 1.0


@settings(deadline=None)
@given(st.floats(-3.2, 3.2), st.floats(-7, 7), st.floats(-WOUND_UP, WOUND_UP))
def test_a_turn_looks_as_wanted_and_stays_within_what_the_wrist_can_do(yaw, wanted, wrist):
    turn = reachable_yaw(yaw, wanted, wrist) - yaw
    assert np.cos(2 * (yaw + turn - wanted)) == pytest.approx(1)
    assert abs(turn) <= np.pi + 1e-9
    assert abs(wrist - turn) <= WOUND_UP + 0.3


def test_an_unknown_style_is_refused():
    with pytest.raises(ArgumentError, match="style='plann' is unknown; did you mean 'plan'"):
        Scripts("scene", "plann")
