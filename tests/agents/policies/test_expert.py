from dataclasses import replace

import numpy as np
import pytest

from chunkenv.agents.policies.expert import FARTHEST, Expert, gains, squash
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.kinetix.level import used_channels
from tests.agents.experts import random_expert


def test_the_channels_said_to_be_used_are_those_that_change_a_level():
    for level in LEVELS:
        simulator = Simulator(level)
        actions = np.concatenate([np.zeros((1, 8, 6)), np.eye(6)[:, None].repeat(8, axis=1)]).astype(np.float32)
        states = simulator.rollout(simulator.initial_state(), actions).states
        moved = tuple(np.flatnonzero((states[1:] != states[0]).any(axis=1)))
        assert moved == used_channels(level), level


def test_squashing_keeps_motors_and_thrusters_in_their_ranges():
    raw = np.linspace(-30, 30, 61, dtype=np.float32)[:, None]
    motor, thruster = squash(raw, gains((0, 5))).T
    assert motor == pytest.approx(np.tanh(raw[:, 0]), abs=1e-6)
    assert thruster == pytest.approx(1 / (1 + np.exp(-raw[:, 0])), abs=1e-6)


def test_actions_are_the_network_worked_by_hand():
    layers = ((np.array([[2.0], [0.0]], np.float32), np.array([1.0], np.float32)),)
    mean, scale = np.array([1.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32)
    expert = Expert("catapult", 0, 1, 0.5, (0,), mean, scale, layers)
    actions = expert.actions(np.array([[2.0, 9.0], [1e6, 0.0]], np.float32))
    assert actions[:, 0] == pytest.approx([np.tanh(2.0), np.tanh(2 * FARTHEST + 1)])
    assert (actions[:, 1:] == 0).all()
    assert actions.dtype == np.float32


@pytest.mark.parametrize("level", ["catapult", "mjc_walker"])
def test_an_action_depends_on_no_other_row(level):
    expert = random_expert(level)
    observations = np.random.default_rng(0).standard_normal((300, len(expert.mean))).astype(np.float32)
    whole = expert.actions(observations)
    for n in (1, 2, 3, 7, 15, 16, 17, 31, 64, 100, 257):
        np.testing.assert_array_equal(expert.actions(observations[:n]), whole[:n])
        np.testing.assert_array_equal(expert.actions(observations[-n:]), whole[-n:])
    assert expert.actions(observations[:0]).shape == (0, 6)


def test_foreign_observations_are_refused_in_a_sentence():
    with pytest.raises(ArgumentError, match=r"shape \(2, 3\) are not those of catapult: give float32\[N, 35\]"):
        random_expert().actions(np.zeros((2, 3)))


def test_an_expert_cannot_be_changed():
    assert replace(random_expert(), steps=7).steps == 7
    with pytest.raises(AttributeError):
        random_expert().steps = 7
