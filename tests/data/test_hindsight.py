"""Goals in hindsight: their shares, the laws of their offsets, and sub-goals that are reached, or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.data.hindsight import GoalShares, HindsightGoals
from chunkenv.errors import ArgumentError
from tests.data.making import in_memory

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def drawn(lengths, shares, seed=0, count=300, **rest):
    dataset = in_memory(lengths)
    sampler = HindsightGoals(dataset, shares, **rest)
    ticks = np.random.default_rng([seed, 1]).integers(len(dataset), size=count)
    return sampler, ticks, sampler.sample(np.random.default_rng(seed), ticks)


@settings(max_examples=40, deadline=None)
@given(LENGTHS, st.integers(0, 99), st.sampled_from([None, 0.5, 0.99]))
def test_a_later_state_is_of_the_same_episode(lengths, seed, discount):
    sampler, ticks, draw = drawn(lengths, GoalShares(discount=discount), seed)
    assert (draw.places > sampler.states.of_ticks(ticks)).all()
    assert (draw.places <= sampler.states.last_of(ticks)).all()
    np.testing.assert_array_equal(draw.goals, sampler.states.observations(draw.places))


@settings(max_examples=20, deadline=None)
@given(LENGTHS, st.integers(0, 99))
def test_a_goal_hangs_on_no_other_row_and_on_the_seed_alone(lengths, seed):
    sampler, ticks, draw = drawn(lengths, GoalShares(0.2, 0.5, 0.3, discount=0.9), seed)
    again = sampler.sample(np.random.default_rng(seed), ticks)
    np.testing.assert_array_equal(again.places, draw.places)
    others = ticks.copy()
    others[1:] = 0
    assert sampler.sample(np.random.default_rng(seed), others).places[0] == draw.places[0]


def test_shares_are_as_asked():
    """In one long episode and one short one, by counting: a random goal is mostly in the long one."""
    sampler, ticks, draw = drawn([1, 4000], GoalShares(0.2, 0.5, 0.3), count=40_000)
    first = ticks == 0  # the short episode: its only later state is at place 1
    here = sampler.states.of_ticks(ticks)
    np.testing.assert_allclose((draw.places == here)[~first].mean(), 0.2, atol=0.01)
    later = (draw.places > here)[~first].mean()
    np.testing.assert_allclose(later, 0.5 + 0.3 / 2, atol=0.02)  # half of all random goals are later, on average


def test_every_later_state_is_equally_likely():
    sampler = HindsightGoals(in_memory([5]))
    places = sampler.sample(np.random.default_rng(0), np.full(50_000, 1)).places
    counts = np.bincount(places, minlength=6) / len(places)
    np.testing.assert_allclose(counts, [0, 0, 0.25, 0.25, 0.25, 0.25], atol=0.01)


def test_geometric_offsets_have_their_law_and_what_lies_beyond_falls_on_the_last_state():
    sampler = HindsightGoals(in_memory([6]), GoalShares(discount=0.7))
    offsets = sampler.sample(np.random.default_rng(0), np.full(50_000, 2)).places - 2
    counts = np.bincount(offsets, minlength=5) / len(offsets)
    np.testing.assert_allclose(counts, [0, 0.3, 0.3 * 0.7, 0.3 * 0.7**2, 0.7**3], atol=0.01)


def test_a_goal_may_be_some_numbers_or_a_function():
    sampler, _, draw = drawn([4, 2], GoalShares(), form=[2, 0])
    whole = sampler.states.observations(draw.places)
    np.testing.assert_array_equal(draw.goals, whole[:, [2, 0]])
    made, _, same = drawn([4, 2], GoalShares(), form=lambda rows: rows.sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(same.goals, whole.sum(axis=1, keepdims=True))
    assert (sampler.goal_size, made.goal_size) == (2, 1)


@settings(max_examples=40, deadline=None)
@given(LENGTHS, st.integers(1, 6), st.integers(0, 99))
def test_sub_goals_are_reached_where_their_state_is_the_goal_and_nowhere_else(lengths, ahead, seed):
    sampler, ticks, goals = drawn(lengths, GoalShares(0.2, 0.5, 0.3), seed)
    draw = sampler.sample_subgoals(np.random.default_rng(seed), ticks, ahead, discount=0.9)
    here, last = sampler.states.of_ticks(ticks), sampler.states.last_of(ticks)
    for row, place in enumerate(goals.places):
        until = place - here[row]
        expected = min(ahead, last[row] - here[row])
        reached = 0 <= until <= expected
        expected = until if reached else expected
        assert (draw.ticks[row], bool(draw.reached[row])) == (expected, reached)
        assert draw.rewards[row] == pytest.approx(0.9**expected if reached else 0)
        assert draw.discounts[row] == pytest.approx(0 if reached else 0.9**expected)
    np.testing.assert_array_equal(draw.next_observations, sampler.states.observations(here + draw.ticks))
    np.testing.assert_array_equal(draw.subgoals, draw.next_observations)
    np.testing.assert_array_equal(draw.goals, goals.goals)


def test_an_episode_s_end_reaches_nothing():
    """What the released code takes for success: fewer ticks than asked for, because the episode ends."""
    sampler = HindsightGoals(in_memory([3, 50]), GoalShares(0, 0, 1))
    draw = sampler.sample_subgoals(np.random.default_rng(0), np.full(200, 1), 10)
    cut = draw.ticks == 2
    elsewhere = (draw.goals != sampler.states.observations(np.array([3]))).any(axis=1)
    assert (cut & elsewhere).sum() > 100
    assert not draw.reached[cut & elsewhere].any()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"current": 0.5}, r"add up to 1.5; give 1"),
        ({"future": 1.5}, "future=1.5 is not a finite number from 0 to 1"),
        ({"discount": 1.0}, "discount=1.0 gives no law"),
        ({"random": float("nan")}, "random=nan"),
    ],
)
def test_shares_that_are_none(asked, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        GoalShares(**asked)


@pytest.mark.parametrize(("form", "sentence"), [([3], "points outside"), ([], "no list"), ([0.5], "no list")])
def test_a_form_that_does_not_fit(form, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        HindsightGoals(in_memory([3]), form=form)
