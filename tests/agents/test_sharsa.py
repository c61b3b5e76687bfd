"""SHARSA on a line where every value is known, what it does with them, and what its settings take away."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.sharsa import SHARSA, SHARSASettings, best_choices
from chunkenv.data.horizons import Horizons
from chunkenv.data.windows.subgoal_windows import SubgoalBatch, SubgoalWindows
from chunkenv.errors import ArgumentError
from tests.agents.journeys import STATES, journeys, seen

AHEAD, DISCOUNT = 4, 0.8
ARMS = [
    (True, True),
    *(pytest.param(*arm, marks=pytest.mark.slow) for arm in ((True, False), (False, True), (False, False))),
]
LINE = journeys(range(STATES))


def make(**given):
    small = dict(hidden=(48, 48), learning_rate=3e-3, polyak=0.05, batch=64, samples=8, steps=5, goal_size=STATES)
    horizons = Horizons(chunk=2, backup=AHEAD, discount=DISCOUNT, delay=given.pop("delay", 0))
    return SHARSA.create(0, 2 * STATES, 1, SHARSASettings(**small | given, horizons=horizons))


def learn(agent, dataset, updates, seed=1):
    """The agent after so many updates, a hundred in one compiled call."""
    rng, settings = np.random.default_rng(seed), agent.settings
    windows = SubgoalWindows(dataset, settings.horizons, None)
    for _ in range(updates // 100):
        drawn = windows.sample(rng, 100 * settings.batch)
        agent = _updated(agent, SubgoalBatch(*(jnp.asarray(part).reshape(100, -1, *part.shape[1:]) for part in drawn)))
    return agent


@jax.jit
def _updated(agent, batches):
    return jax.lax.scan(lambda agent, batch: agent.update(batch), agent, batches)[0]


@cache
def learned(hierarchy, values):
    return learn(make(hierarchy=hierarchy, values=values), LINE, 1500)


def pairs():
    """All states with the goals that lie ahead of them or there, but for the last state, which no tick begins with."""
    return [(state, goal) for state in range(STATES - 1) for goal in range(state, STATES)]


@pytest.mark.parametrize("hierarchy", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_values_are_the_discounts_of_the_ticks_to_the_goal(hierarchy):
    states, goals = np.array(pairs()).T
    found = learned(hierarchy, True).goal_values(np.concatenate([seen(states), seen(goals)], axis=1))
    np.testing.assert_allclose(found, DISCOUNT ** (goals - states), atol=0.12)
    assert np.abs(found - DISCOUNT ** (goals - states)).mean() < 0.03


def test_it_goes_for_a_subgoal_some_ticks_ahead_or_for_the_goal_if_that_is_nearer():
    agent = learned(True, True)
    states, goals = np.array([0, 2, 5, 5]), np.array([9, 9, 7, 10])
    observations = np.concatenate([seen(states), seen(goals)], axis=1)
    nothing = np.zeros((4, 0, 1), np.float32), np.zeros(4, np.int32)
    toward = np.asarray(agent.toward_subgoals(observations, *nothing, jax.random.key(0)))
    np.testing.assert_array_equal(toward[:, :STATES], seen(states))
    assert toward[:, STATES:].argmax(axis=1).tolist() == [4, 6, 7, 9]
    chunks = np.asarray(agent.sample_chunk(observations, *nothing, jax.random.key(0)))
    np.testing.assert_allclose(chunks, np.full((4, 2, 1), 0.1), atol=0.25)  # noise has a spread of 1


def test_of_several_choices_it_takes_the_one_whose_worst_value_is_best():
    """Two linear critics: one likes the first number of a choice, one the second."""
    critics = [{"kernel": jnp.array([[[0.0], [1.0], [0.0]], [[0.0], [0.0], [1.0]]]), "bias": jnp.zeros((2, 1))}]
    choices = jnp.array([[[[9.0, 0.0]], [[1.0, 2.0]], [[0.5, 9.0]]], [[[0.0, 0.0]], [[3.0, 4.0]], [[4.0, 2.0]]]])
    assert best_choices(critics, jnp.zeros((2, 1)), choices)[:, 0].tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(("hierarchy", "values"), ARMS)
def test_each_part_can_be_left_out(hierarchy, values):
    agent = make(hierarchy=hierarchy, values=values, hidden=(8,), delay=1)
    present = [name for name, layers in agent.params.items() if layers]
    assert present == ["flow", "critics"][: 1 + values] + ["subgoals"] * hierarchy + ["value"] * values
    after = learn(agent, LINE, 100)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(after.params))
    prefix, lengths = np.full((3, 1, 1), 0.3, np.float32), np.array([1, 1, 0], np.int32)
    chunks = after.sample_chunk(np.zeros((3, 2 * STATES), np.float32), prefix, lengths, jax.random.key(0))
    assert chunks.shape == (3, 3, 1)
    np.testing.assert_array_equal(chunks[:2, 0], prefix[:2, 0])


def test_without_values_nothing_is_valued():
    with pytest.raises(ArgumentError, match="values=False"):
        make(values=False).goal_values(np.zeros((1, 2 * STATES), np.float32))


def test_a_file_brings_the_agent_back_to_the_bit(tmp_path):
    agent = learn(make(hidden=(8,)), LINE, 100)
    agent.save(tmp_path / "agent.safetensors")
    again = SHARSA.load(tmp_path / "agent.safetensors")
    assert again.settings == agent.settings
    jax.tree.map(np.testing.assert_array_equal, again.arrays(), agent.arrays())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"goal_size": 0}, "goal_size=0"),
        ({"samples": 0}, "samples=0"),
        ({"steps": 2.5}, "steps=2.5"),
        ({"values": 1}, "values=1"),
    ],
)
def test_one_sentence_for_settings_that_cannot_be(given, said):
    with pytest.raises(ArgumentError, match=said):
        SHARSASettings(**given)
