"""Rewards of one environment and of many are the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from chunkenv.kinetix.engine import kernels
from chunkenv.kinetix.engine.level_simulator import PlayedChunks
from chunkenv.kinetix.rewards import REWARDS, Ticks, choose

played_ticks = st.tuples(
    st.sampled_from([-1, 0, 1]),
    st.floats(0.0, 9.0, width=32),
    st.just(-1.0) | st.floats(0.0, 9.0, width=32),
    st.integers(1, 256),
    st.booleans(),
)


@given(st.lists(played_ticks, min_size=1, max_size=5), st.sampled_from(list(REWARDS)))
def test_rewards_are_those_of_one(ticks, kind):
    rewards, distances, last_distances, numbers, ended = (np.array(column) for column in zip(*ticks, strict=True))
    played = PlayedChunks(np.where(ended, 0, 1), rewards[:, None], distances[:, None], None)
    shaped = REWARDS[kind](Ticks(played, last_distances, numbers - 1))
    assert shaped[:, 0].tolist() == [float(REWARDS[kind](kernels.Tick(0, *tick), choose)) for tick in ticks]
