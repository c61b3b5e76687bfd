"""Eight environments at a time: none notices the others."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.layout import STATE
from chunkenv.kinetix.engine.simulator import Simulator

cached = functools.cache(Simulator)


def thrown_about(level, n, seed):
    """States that no episode would reach: bodies anywhere, so that many touch, with contacts of every kind."""
    rng = np.random.default_rng(seed)
    states = np.tile(cached(level).initial_state(), (n, 1))
    bodies = states.view(STATE)["bodies"][:, 0]
    moving = bodies["inverse_mass"] != 0
    middle = rng.uniform(1, 4, (n, 1, 2))
    spread = rng.uniform(0, 0.5, (n, 1, 1))
    place = middle + spread * rng.normal(size=(n, 16, 2))
    for k, axis in enumerate("xy"):
        bodies["pos"][axis][moving] = place[..., k][moving]
        bodies["vel"][axis][moving] = rng.normal(size=(n, 16))[moving]
    bodies["w"][moving] = rng.normal(scale=5, size=(n, 16))[moving]
    return states


def alone(level, states, actions):
    """Each state by itself, which is too few for lanes."""
    each = [cached(level).rollout(states[n], actions[n : n + 1], observations=True) for n in range(len(states))]
    return [np.concatenate(parts) for parts in zip(*each, strict=True)]


@settings(max_examples=40, deadline=None)
@given(level=st.sampled_from(LEVELS), n=st.integers(3, 20), seed=st.integers(0, 2**32 - 1))
def test_heaps_of_bodies_are_solved_as_alone(level, n, seed):
    states = thrown_about(level, n, seed)
    actions = np.random.default_rng(seed).uniform(-2, 2, (n, 12, 6)).astype(np.float32)
    together = cached(level).rollout(states, actions, observations=True)
    for ours, expected in zip(together, alone(level, states, actions), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_the_heaps_are_worth_it():
    """Batches of several contacts, of different sizes side by side."""
    contacts = []
    for level in LEVELS:
        states = thrown_about(level, 64, 0)
        result = cached(level).rollout(states, np.zeros((64, 1, 6), np.float32))
        contacts.append((result.states.view(STATE)["contacts"]["normal"][:, 0] != 0).sum(axis=1))
    assert max(map(np.max, contacts)) >= 8
    assert sum(len(np.unique(counts)) >= 3 for counts in contacts) >= 8


@pytest.mark.parametrize("level", ["catapult", "mjc_walker", "chain_lander"])
@pytest.mark.parametrize("broken", [np.nan, np.inf, 1e30])
def test_a_broken_state_harms_no_other(level, broken):
    states = thrown_about(level, 8, 1)
    actions = np.zeros((8, 10, 6), np.float32)
    expected = alone(level, states, actions)
    states.view(STATE)["bodies"]["vel"]["x"][2, 0, 4:] = broken
    states.view(STATE)["bodies"]["angle"][2, 0, 4:] = broken
    together = cached(level).rollout(states, actions, observations=True)
    others = np.arange(8) != 2
    for ours, theirs in zip(together, expected, strict=True):
        np.testing.assert_array_equal(ours[others], theirs[others])
