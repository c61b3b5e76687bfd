import copy
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.utils.seeding import PURPOSES, Stream, spawn

seeds = st.integers(0, 2**64)
purposes = st.sampled_from(PURPOSES)


@given(seeds, purposes, st.integers(0, 5))
def test_a_stream_repeats_for_its_seed(seed, purpose, depth):
    assert spawn(seed, purpose, depth).random(9).tolist() == spawn(seed, purpose, depth).random(9).tolist()


@given(seeds)
def test_no_two_purposes_or_depths_share_a_stream_nor_that_of_the_world(seed):
    streams = [spawn(seed, *which) for which in itertools.product(PURPOSES, range(3))]
    firsts = {rng.random() for rng in [*streams, np.random.default_rng(seed)]}
    assert len(firsts) == len(streams) + 1


def test_a_stream_is_that_of_numpys_seed_sequence():
    child = np.random.SeedSequence(7).spawn(len(PURPOSES))[PURPOSES.index("action_noise")].spawn(2)[1]
    assert spawn(7, "action_noise", 1).random() == np.random.default_rng(child).random()


def test_an_unknown_purpose_is_a_programmers_mistake():
    with pytest.raises(ValueError, match="not in tuple"):
        spawn(0, "weather")


@given(seeds, purposes, st.integers(0, 5))
def test_a_seed_begins_anew_and_none_goes_on(seed, purpose, depth):
    stream = Stream(purpose, depth)
    ahead = spawn(seed, purpose, depth).random(6).tolist()
    for _ in range(2):
        assert stream.begin(seed).random(3).tolist() + stream.begin(None).random(3).tolist() == ahead


def test_the_first_episode_without_a_seed_draws_fresh_entropy():
    assert Stream("latency").begin(None).random() != Stream("latency").begin(None).random()


def test_a_copy_goes_on_alike():
    stream = Stream("latency")
    stream.begin(3).random(4)
    twin = copy.deepcopy(stream)
    assert twin.begin(None).random() == stream.begin(None).random()
