"""Starts and goals with a known number of sub-tasks between them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.errors import ArgumentError
from chunkenv.manipulation import FAMILY
from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.manipulation.goal_env import GoalManipulationEnv
from chunkenv.manipulation.oracles.lights_out import press, presses
from chunkenv.manipulation.oracles.oracle import Oracle
from chunkenv.manipulation.scene.subtasks import MOST_PRESSES, draw_scene
from chunkenv.manipulation.vector_env import ManipulationVectorEnv

SEEDS = st.integers(0, 10**6)
CUBES = ("cube-single", "cube-double", "cube-quadruple", "cube-octuple")


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["puzzle-3x3", "puzzle-4x4"]), st.integers(1, 5), SEEDS)
def test_a_goal_needs_as_many_presses_as_asked_and_no_fewer(family, count, seed):
    scene = draw_scene(FAMILY[family], count, np.random.default_rng(seed))
    side = 3 if family == "puzzle-3x3" else 4
    start, goal = (scene[name].reshape(side, side) for name in ("init_button_states", "goal_button_states"))
    for fewer in range(count if side == 3 else min(count, 3)):  # all ways to press fewer, one by one
        for buttons in itertools.combinations(range(side**2), fewer):
            assert (press(start, np.array(buttons, int)) != goal).any()
    assert any((press(start, np.array(found)) == goal).all() for found in presses(start, goal))
    assert len(presses(start, goal)[0]) == count


def test_no_goal_on_the_4x4_board_needs_more_presses_than_are_offered():
    """All boards that pressing leads to, by the buttons of three rows (the fourth adds nothing new)."""
    rng, still = np.random.default_rng(0), np.zeros((4, 4), int)
    drawn = [press(still, np.flatnonzero(rng.integers(2, size=16))) for _ in range(300)]
    assert max(len(presses(still, board)[0]) for board in drawn) == MOST_PRESSES["4x4"]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(CUBES), st.integers(1, 8), SEEDS)
def test_as_many_cubes_as_asked_move_to_places_where_no_cube_ever_is(family, count, seed):
    count = min(count, FAMILY[family].cubes)
    scene = draw_scene(FAMILY[family], count, np.random.default_rng(seed))
    start, goal = scene["init_xyzs"], scene["goal_xyzs"]
    moved = (start != goal).any(axis=1)
    assert moved.sum() == count
    places = np.concatenate([start, goal[moved]])
    gaps = np.linalg.norm(places[:, None] - places, axis=2)[~np.eye(len(places), dtype=bool)]
    assert gaps.min() > 0.07  # the gripper finds room, though a reset moves starts by 0.01 m


@pytest.mark.parametrize(
    ("family", "count"), [pytest.param("puzzle-3x3", 3, marks=pytest.mark.slow), ("cube-double", 1)]
)
def test_a_reset_draws_them_from_its_seed(family, count):
    env = GoalManipulationEnv(family)

    def drawn(seed):
        first, _ = env.reset(seed=seed, options={"subtasks": count})
        return np.concatenate([first["achieved_goal"], first["desired_goal"]])

    np.testing.assert_array_equal(drawn(3), drawn(3))
    assert (drawn(3) != drawn(4)).any()
    if family == "cube-double":
        assert env.facts()["successes"].sum() == 2 - count  # what is not to be moved is in place


def test_many_environments_draw_what_single_ones_draw():
    envs, env = ManipulationVectorEnv("cube-double", num_envs=2), GoalManipulationEnv("cube-double")
    many, _ = envs.reset(seed=5, options={"subtasks": 2})
    one, _ = env.reset(seed=6, options={"subtasks": 2})
    np.testing.assert_array_equal(many["desired_goal"][1], one["desired_goal"])


@pytest.mark.slow
@pytest.mark.parametrize(("family", "count"), [("puzzle-3x3", 5), ("puzzle-4x4", 3), ("cube-quadruple", 4)])
def test_an_oracle_solves_them(family, count):
    env, oracle = GoalManipulationEnv(family), Oracle(family)
    env.reset(seed=0, options={"subtasks": count})
    assert any(env.step(oracle.act(env.facts()))[2] for _ in range(1000))


@pytest.mark.parametrize(
    ("family", "count", "said"),
    [
        ("cube-double", 3, "subtasks=3 is too much: cube-double has goals with 1 to 2"),
        ("puzzle-4x4", 8, "subtasks=8 is too much: puzzle-4x4 has goals with 1 to 7"),
        ("puzzle-3x3", 0, "subtasks=0 is too small"),
        ("puzzle-3x3", "two", "subtasks='two'"),
        ("scene", 1, "lock one another"),
    ],
)
def test_one_sentence_for_goals_that_there_are_not(family, count, said):
    with pytest.raises(ArgumentError, match=said):
        draw_scene(FAMILY[family], count, np.random.default_rng(0))


def test_a_single_task_has_no_other_goals():
    with pytest.raises(ArgumentError, match="for tasks that change"):
        ManipulationEnv("cube-double", 1).reset(options={"subtasks": 1})
    with pytest.raises(ArgumentError, match="give one of them"):
        GoalManipulationEnv("cube-double").reset(options={"subtasks": 1, "task": 2})
