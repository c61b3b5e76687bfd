"""Windows for two levels: what is reached, what only ends, and what a whole episode is too short for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.data.horizons import Horizons
from chunkenv.data.windows.subgoal_windows import SubgoalWindows
from chunkenv.errors import ArgumentError
from tests.agents.journeys import journeys

AHEAD, DISCOUNT = 3, 0.5
HORIZONS = Horizons(chunk=2, backup=AHEAD, discount=DISCOUNT)
PAIR = journeys([0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10])


def draw(dataset=PAIR, seed=0, count=400):
    """A batch, and the same with the numbers of the states that goals are."""
    batch = SubgoalWindows(dataset, HORIZONS, None).sample(np.random.default_rng(seed), count)
    goals = ("value_goals", "value_subgoals", "policy_goals", "policy_subgoals", "nearby")
    return batch, batch._replace(**{name: getattr(batch, name).argmax(axis=1) for name in goals})


def test_only_the_goals_own_state_is_a_success_and_never_the_end_of_an_episode():
    """The trap of the published code: an episode that ends sooner than n ticks is no goal that was reached."""
    batch, states = draw()
    reached = batch.rewards > 0
    assert (reached == (states.value_goals == states.value_subgoals)).all()
    here = batch.observations.argmax(axis=1)
    last = np.where(here < 5, 4, 10)
    cut = ~reached & (last - here < AHEAD)
    assert cut.sum() > 30  # there are such windows
    np.testing.assert_array_equal(states.value_subgoals[cut], last[cut])
    np.testing.assert_array_equal(batch.discounts[cut], DISCOUNT ** (last - here)[cut])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_rewards_and_discounts_are_powers_of_the_ticks_played(seed):
    batch, states = draw(seed=seed)
    here, there = batch.observations.argmax(axis=1), batch.next_observations.argmax(axis=1)
    assert (there - here).min() >= 0
    assert (there - here).max() <= AHEAD
    np.testing.assert_allclose(batch.rewards + batch.discounts, DISCOUNT ** (there - here))
    np.testing.assert_array_equal(there, states.value_subgoals)
    np.testing.assert_array_equal(states.nearby, np.minimum(here + AHEAD, np.where(here < 5, 4, 10)))
    nearer = (states.policy_goals >= here) & (states.policy_goals < states.nearby)
    np.testing.assert_array_equal(states.policy_subgoals, np.where(nearer, states.policy_goals, states.nearby))


def test_no_episode_is_long_enough():
    with pytest.raises(ArgumentError, match="The longest episode has 2 ticks, but a chunk and the way to its sub-goal"):
        SubgoalWindows(journeys([0, 1, 2]), HORIZONS, None)
