"""The high level of an agent, apart from its low level."""

import numpy as np
import pytest

from chunkenv.agents import BehaviourPolicy, choose_subgoals, registry
from chunkenv.errors import ArgumentError
from chunkenv.request import Request
from chunkenv.strategies import RTC, Subgoals

SMALL = dict(hidden=(8,), goal_size=2, samples=4, steps=2)


def make(**given):
    return registry.create("sharsa", 0, 5, 1, registry.settings_for("sharsa", chunk=3, **{**SMALL, **given}))


def seeds(*each):
    return np.array(each, np.uint32)


def test_what_is_seen_stays_and_the_goal_becomes_a_subgoal():
    seen = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    toward = choose_subgoals(make())(seen, np.zeros((3, 3, 1)), np.zeros(3, int), seeds(1, 2, 3))
    np.testing.assert_array_equal(toward[:, :3], seen[:, :3])
    assert (toward[:, 3:] != seen[:, 3:]).all()
    alone = choose_subgoals(make())(seen[1:2], np.zeros((1, 3, 1)), np.zeros(1, int), seeds(2))
    np.testing.assert_allclose(alone[0], toward[1], atol=1e-6)


def test_a_flat_agent_goes_for_the_goal_itself():
    seen = np.ones((1, 5), np.float32)
    choose = choose_subgoals(make(hierarchy=False))
    np.testing.assert_array_equal(choose(seen, np.zeros((1, 3, 1)), np.zeros(1, int), seeds(1)), seen)


def test_it_plays_under_real_time_chunking_with_the_observation_of_a_goal_environment():
    agent = make()
    policy = Subgoals(RTC(BehaviourPolicy(agent)), choose_subgoals(agent))
    rows = np.full((1, 1), 0.5, np.float32)
    request = Request(3, rows, 1, 1, 2, rows, np.random.default_rng(0))
    seen = {
        "observation": np.zeros(3, np.float32),
        "achieved_goal": np.zeros(2),
        "desired_goal": np.ones(2, np.float32),
    }
    chunk = policy.infer(seen, request)
    assert chunk.shape == (3, 1)
    assert np.abs(chunk).max() <= 1
    assert policy.cost.vjps == 2


def test_an_agent_without_levels_is_refused():
    with pytest.raises(ArgumentError, match="qc-fql chooses no sub-goals"):
        choose_subgoals(registry.create("qc-fql", 0, 3, 1, registry.settings_for("qc-fql", hidden=(8,))))
