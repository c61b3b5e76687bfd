from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.clock import ChunkClock
from chunkenv.data.horizons import Horizons
from chunkenv.errors import ArgumentError


@given(st.integers(1, 8), st.integers(0, 8))
def test_the_clock_plays_every_row_that_is_decided_and_no_other(chunk, delay):
    horizons = Horizons(chunk, chunk, min(delay, chunk))
    clock = ChunkClock(horizons.prediction_horizon, horizons.chunk)
    clock.advance(clock.cycle(horizons.delay))
    cycle = clock.cycle(horizons.delay)
    clock.advance(cycle)
    played = [*cycle.own, *clock.prefix(horizons.delay)]
    assert not cycle.underruns
    assert len(cycle.prefix) == horizons.delay
    assert played == [*range(horizons.delay, horizons.prediction_horizon)]


def test_an_agent_without_prefix_sees_what_it_decides():
    assert Horizons(5, 5, 2, prefix=False).seen == slice(2, 7)


@pytest.mark.parametrize(
    ("given", "said"),
    [(dict(chunk=0), "chunk=0"), (dict(chunk=2, delay=3), "longer chunks"), (dict(chunk=3, backup=2), "backup=2")],
)
def test_lengths_that_cannot_be_meant_are_refused(given, said):
    with pytest.raises(ArgumentError, match=said):
        Horizons(**given)
