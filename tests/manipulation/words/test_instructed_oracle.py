"""Episodes that are asked for in words."""

import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from chunkenv.errors import ArgumentError
from chunkenv.manipulation.words import (
    InstructedOracle,
    parse_instruction,
    predicate_names,
    read_predicates,
    say_goal,
)
from chunkenv.manipulation.words.word_goals import open_goals


def make(family, **options):
    return gym.make(f"chunkenv/manip-{family}-v0", goal="instruction", **options)


def follow(env, family, instruction):
    """Whether the oracle that knows only the sentence solves the episode."""
    world = env.unwrapped
    oracle, terminated, truncated = InstructedOracle(family, instruction), False, False
    while not (terminated or truncated):
        facts = world.facts()
        names = ("cube_targets", "button_targets", "drawer_target", "window_target", "successes")
        blind = {name: value for name, value in facts.items() if name not in names}
        _, _, terminated, truncated, _ = env.step(oracle.act(blind))
    return terminated


@pytest.mark.parametrize("family", ["cube-double", "scene", "puzzle-3x3"])
def test_the_oracle_follows_instructions_without_targets(family):
    env = make(family, goals="train")
    for seed in range(2):
        _, info = env.reset(seed=seed)
        assert follow(env, family, info["instruction"])


def test_an_episode_that_was_asked_for():
    env = make("cube-double")
    said = "Carry the blue cube within short reach by the left border."
    observation, info = env.reset(seed=1, options={"instruction": said})
    assert observation["instruction"] == info["instruction"] == said
    assert follow(env, "cube-double", said)
    place = env.unwrapped.facts()["cube_positions"][1]
    assert np.linalg.norm(place - (0.35, 0.2, 0.02)) < 0.04


@pytest.mark.parametrize("task", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("family", ["cube-quadruple", "scene", "puzzle-3x3"])
def test_the_five_tasks_in_words_are_the_five_tasks(family, task):
    env = make(family, wordings="held-out").unwrapped
    _, info = env.reset(seed=task, options={"task": task})
    assert parse_instruction(family, info["instruction"]) == open_goals(env.facts())


@pytest.mark.filterwarnings("error")
def test_the_checker_is_silent():
    check_env(make("scene", goals="held-out").unwrapped, skip_render_check=True)


def test_words_change_nothing_else():
    worded, plain = make("cube-double"), gym.make("chunkenv/manip-cube-double-v0")
    for seed in range(3):
        observation, _ = worded.reset(seed=seed)
        assert np.array_equal(observation["observation"], plain.reset(seed=seed)[0]["observation"])
        assert np.array_equal(worded.unwrapped.get_state(), plain.unwrapped.get_state())
        assert worded.unwrapped.np_random.integers(9**9) == plain.unwrapped.np_random.integers(9**9)


def test_the_vector_environment_says_the_same():
    options = {"goals": "train", "wordings": "held-out"}
    envs = gym.make_vec(
        "chunkenv/manip-cube-double-v0",
        num_envs=2,
        goal="instruction",
        prediction_horizon=2,
        vectorization_mode="vector_entry_point",
        **options,
    )
    observations, infos = envs.reset(seed=3)
    observations, *_ = envs.step(np.zeros((2, 2, 5), np.float32))
    for index in range(2):
        expected, info = make("cube-double", **options).reset(seed=3 + index)
        assert observations["instruction"][index] == infos["instruction"][index] == info["instruction"]
        assert expected["instruction"] == info["instruction"]
    assert infos["_instruction"].all()


def test_a_copy_and_a_state_keep_the_goal():
    env = make("cube-double", goals="train").unwrapped
    _, info = env.reset(seed=0)
    assert pickle.loads(pickle.dumps(env)).instruction == info["instruction"]
    other = make("cube-double").unwrapped
    other.set_state(env.get_state())
    assert parse_instruction("cube-double", other.instruction) == parse_instruction("cube-double", info["instruction"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"instruction": "Open the drawer."}, "is outside the grammar of cube-double; did you mean"),
        ({"instruction": "Put the red cube near the robot to the left.", "task": 2}, "ask for two goals"),
    ],
    ids=["grammar", "two"],
)
def test_resets_that_cannot_be(options, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        make("cube-double").reset(options=options)


def test_arguments_that_are_about_words_need_words():
    with pytest.raises(ArgumentError, match="are about instructions; give goal='instruction'"):
        gym.make("chunkenv/manip-cube-double-v0", goals="train")
    with pytest.raises(ArgumentError, match="make it with goal='instruction'"):
        gym.make("chunkenv/manip-cube-double-v0").reset(options={"instruction": "Open the drawer."})


@pytest.mark.parametrize("family", ["cube-triple", "scene", "puzzle-3x3"])
def test_captions_of_a_solved_goal_say_that_it_is_solved(family):
    env = make(family).unwrapped
    env.reset(seed=0, options={"task": 5})
    names = predicate_names(family)
    state = env.get_state()
    holds = read_predicates(family, np.stack([state[env.layout.goal], state[env.layout.goal]]))
    assert holds.shape == (2, len(names))
    true = {name for name, one in zip(names, holds[1], strict=True) if one}
    if family == "cube-triple":
        assert sum("is on top of" in name for name in true) == 2
    elif family == "scene":
        assert {"the drawer is closed", "the window is open"} <= true
    else:
        on = env.facts()["button_targets"]
        assert sum(name.endswith("is on") for name in true) == on.sum()
    assert say_goal(family, open_goals(env.facts(), everything=True))
