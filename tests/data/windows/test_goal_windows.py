import numpy as np
import pytest

from chunkenv.data.hindsight import HindsightGoals
from chunkenv.data.horizons import Horizons
from chunkenv.data.windows.goal_windows import GoalWindows
from chunkenv.errors import ArgumentError
from tests.data.making import in_memory


def test_windows_goals_and_sub_goals_are_of_the_same_ticks():
    dataset = in_memory([6, 3])
    horizons = Horizons(chunk=2, backup=4)
    drawn = GoalWindows(dataset, horizons, form=[0]).sample(np.random.default_rng(0), 300)
    states = HindsightGoals(dataset).states
    numbers = states.observations(np.arange(len(states)))[:, 0]  # all differ
    for row in range(300):
        here = int(np.flatnonzero(numbers == drawn.observations[row, 0])[0])
        goal, between, near = (
            int(np.flatnonzero(numbers == found[row, 0])[0]) for found in (drawn.goals, drawn.subgoals, drawn.nearby)
        )
        last = 6 if here <= 6 else 10
        tick = here - (here > 6)
        assert here < goal <= last
        assert near == min(here + 4, last)
        assert between == min(here + 4, goal)
        count = int(drawn.known[row].sum())
        assert count == min(2, last - here)
        np.testing.assert_array_equal(drawn.chunks[row, :count], dataset.actions[tick : tick + count])


def test_a_chunk_that_is_longer_than_every_episode():
    with pytest.raises(ArgumentError, match="A chunk has 7 rows, but the longest episode has 6 ticks"):
        GoalWindows(in_memory([6, 3]), Horizons(chunk=7, backup=7))
