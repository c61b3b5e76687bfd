"""The order of cubes: every arrangement is reached, no cube is pulled from under another or put where one lies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.manipulation.oracles.cubes import EDGE, Arrangement, nearest_turn, next_cube, plan_grasp
from tests.manipulation.oracles.scenes import cubes, done

SPOTS = [(x, y) for x in (0.325, 0.425, 0.525) for y in (-0.2, -0.1, 0.0, 0.1, 0.2)]


@st.composite
def stacks(draw, count):
    """Positions of `count` cubes in stacks at different spots, in random order."""
    heights, left = [], count
    while left:
        heights.append(draw(st.integers(1, min(left, 3))))
        left -= heights[-1]
    spots = draw(st.permutations(SPOTS))
    places = [(*spots[k], EDGE / 2 + level * EDGE) for k, height in enumerate(heights) for level in range(height)]
    return draw(st.permutations(places))


@st.composite
def arrangements(draw):
    count = draw(st.integers(1, 8))
    return cubes(
        draw(stacks(count)), draw(stacks(count)), draw(st.lists(st.floats(-3, 3), min_size=count, max_size=count))
    )


@settings(deadline=None)
@given(arrangements())
def test_every_arrangement_is_reached_with_free_cubes_to_free_places(facts):
    moves = 0
    while (goal := next_cube(facts)) is not None:
        before = Arrangement(facts["cube_positions"], facts["cube_targets"])
        others = np.delete(before.positions, goal.index, axis=0)
        assert before.is_free(goal.index)
        assert len(others) == 0 or np.linalg.norm(others - goal.target, axis=1).min() > 0.9 * EDGE
        facts, moves = done(facts, goal), moves + 1
        assert moves <= 3 * len(before.positions)
    np.testing.assert_allclose(facts["cube_positions"], facts["cube_targets"], atol=0.025)


def test_a_swap_puts_one_cube_aside_and_takes_three_moves():
    facts, moves = cubes([(0.4, -0.1, 0.02), (0.4, 0.1, 0.02)], [(0.4, 0.1, 0.02), (0.4, -0.1, 0.02)]), []
    while (goal := next_cube(facts)) is not None:
        moves.append(goal)
        facts = done(facts, goal)
    aside, second, third = moves
    assert aside.index == third.index != second.index
    assert min(np.hypot(aside.target[0] - 0.4, aside.target[1] - y) for y in (-0.1, 0.1)) >= 0.09


def test_a_cube_that_could_not_be_got_hold_of_is_left_for_later_if_another_one_can_go():
    facts = cubes([(0.4, 0.1, 0.02), (0.4, -0.2, 0.02)], [(0.5, 0.2, 0.02), (0.5, -0.2, 0.02)])
    assert [next_cube(facts, avoid).index for avoid in (None, 0, 1)] == [0, 1, 0]
    assert next_cube(cubes([(0.4, 0.1, 0.02)], [(0.5, 0.2, 0.02)]), avoid=0).index == 0


def test_a_stack_is_built_from_below_and_taken_down_from_above():
    stack = [(0.425, 0.2, 0.02), (0.425, 0.2, 0.06), (0.425, 0.2, 0.10)]
    apart = [(0.35, -0.1, 0.02), (0.5, -0.2, 0.02), (0.5, 0.0, 0.02)]
    for facts, order in ((cubes(apart, stack), [0, 1, 2]), (cubes(stack, apart), [2, 1, 0])):
        moved = []
        while (goal := next_cube(facts)) is not None:
            moved.append(goal.index)
            facts = done(facts, goal)
        assert moved == order


def test_a_cube_in_place_on_a_wrong_one_is_not_done():
    facts = cubes(
        [(0.4, 0, 0.06), (0.5, 0.2, 0.02), (0.4, 0, 0.02)], [(0.4, 0, 0.06), (0.4, 0, 0.02), (0.5, 0.2, 0.02)]
    )
    assert Arrangement(facts["cube_positions"], facts["cube_targets"]).missing == [0, 1, 2]
    assert next_cube(facts).index == 0


@pytest.mark.parametrize(("neighbour", "turn"), [((0.45, 0.0, 0.02), 0.0), ((0.4, 0.05, 0.02), np.pi / 2)])
def test_the_fingers_go_where_no_neighbour_is(neighbour, turn):
    facts = cubes([(0.4, 0.0, 0.02), neighbour], [(0.3, 0.2, 0.02), neighbour])
    assert plan_grasp(facts, 0, (0.3, 0.2, 0.02)).grasp % np.pi == pytest.approx(turn)  # they close along y at angle 0


def test_the_fingers_let_go_where_no_neighbour_is():
    facts = cubes([(0.3, -0.2, 0.02), (0.4, 0.05, 0.02)], [(0.4, 0.0, 0.02), (0.4, 0.05, 0.02)])
    release = plan_grasp(facts, 0, (0.4, 0.0, 0.02)).release % np.pi
    assert abs(release - np.pi / 2) < np.pi / 4


@pytest.mark.parametrize("wrist", [-4.5, 4.5])
def test_a_wound_up_wrist_is_unwound_where_there_is_room(wrist):
    facts = cubes([(0.4, 0.0, 0.02)], [(0.3, 0.2, 0.02)], yaws=[0.7])
    facts["joint_positions"][5] = wrist
    goal = plan_grasp(facts, 0, (0.3, 0.2, 0.02))
    held = goal.grasp + 0.7
    assert np.sign(held) == np.sign(goal.release - held) == np.sign(wrist)  # turning by an angle takes it back by that
    assert abs(held) <= np.pi / 2


@settings(deadline=None)
@given(st.floats(-10, 10), st.floats(-10, 10), st.sampled_from([1, 2, 4]))
def test_the_nearest_turn_looks_the_same_and_is_near(yaw, reference, of):
    turn = nearest_turn(yaw, reference, of)
    assert abs(turn - reference) <= np.pi / of + 1e-9
    assert np.cos(of * (turn - yaw)) == pytest.approx(1)
