"""The engine without an environment: rollouts, states, and what it refuses."""

import copy
import functools
import pickle
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.errors import ArgumentError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine import batch_kernels as batch
from chunkenv.kinetix.engine import kernels, simulator
from chunkenv.kinetix.engine.layout import STATE
from chunkenv.kinetix.engine.level_simulator import STATE_SIZE
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.kinetix.env import KinetixEnv


@pytest.fixture(scope="module")
def catapult():
    return Simulator("catapult")


def random_chunks(n, horizon, seed=0):
    held = np.random.default_rng(seed).uniform(-1.5, 1.5, (n, -(-horizon // 8), 6))
    return np.repeat(held, 8, axis=1)[:, :horizon].astype(np.float32)


def same_rollout(one, other):
    for ours, theirs in zip(one[:4], other[:4], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("level", LEVELS)
def test_a_rollout_is_what_the_environment_does(level):
    env = KinetixEnv(level)
    env.reset()
    chunks = random_chunks(4, 60)
    result = env.simulator.rollout(env.get_state(), chunks, observations=True)
    for n, chunk in enumerate(chunks):
        env.reset()
        for t, action in enumerate(chunk):
            observation, reward, terminated, _, _ = env.step(action)
            np.testing.assert_array_equal(observation, result.observations[n, t])
            assert reward == result.rewards[n, t]
            if terminated:
                break
        assert result.ends[n] == (t if terminated else 60)
        np.testing.assert_array_equal(env.get_state(), result.states[n])


def test_after_an_end_nothing_moves():
    chain = Simulator("chain_lander")
    result = chain.rollout(chain.initial_state(), random_chunks(8, 120), observations=True)
    ended = np.flatnonzero(result.ends < 100)
    assert len(ended)
    for n in ended:
        end = result.ends[n]
        assert abs(result.rewards[n, end]) == 1
        assert (result.rewards[n, end + 1 :] == 0).all()
        assert (result.distances[n, end:] == result.distances[n, end]).all()
        assert (result.observations[n, end:] == result.observations[n, end]).all()
    again = chain.rollout(result.states[ended], random_chunks(len(ended), 5))
    assert (again.ends == -1).all()
    np.testing.assert_array_equal(again.states, result.states[ended])


def test_each_chunk_from_its_own_state(catapult):
    first = catapult.rollout(catapult.initial_state(), random_chunks(5, 20))
    chunks = random_chunks(5, 30, seed=1)
    together = catapult.rollout(first.states, chunks)
    for n in range(5):
        alone = catapult.rollout(first.states[n], chunks[n : n + 1])
        same_rollout([field[n : n + 1] for field in together[:4]], alone)


def test_the_given_states_stay(catapult):
    state = catapult.initial_state()
    kept = state.copy()
    states = np.repeat(state[None], 3, 0)
    catapult.rollout(state, random_chunks(3, 10))
    catapult.rollout(states, random_chunks(3, 10))
    np.testing.assert_array_equal(state, kept)
    np.testing.assert_array_equal(states, np.repeat(kept[None], 3, 0))


def test_states_need_not_be_contiguous_nor_writeable(catapult):
    states = np.repeat(catapult.initial_state()[None], 6, 0)
    expected = catapult.rollout(states[:3], random_chunks(3, 10))
    strided = states[::2]
    strided.flags.writeable = False
    same_rollout(catapult.rollout(strided, random_chunks(3, 10)), expected)
    single = np.repeat(catapult.initial_state(), 2)[::2]
    single.flags.writeable = False
    same_rollout(catapult.rollout(single, random_chunks(3, 10)), expected)
    np.testing.assert_array_equal(catapult.observation(single), catapult.observation(states[0]))


def test_chunks_of_any_number_type(catapult):
    chunks = np.round(random_chunks(2, 5))
    expected = catapult.rollout(catapult.initial_state(), chunks)
    for other in (chunks.astype(np.float64), chunks.astype(int), chunks.tolist(), np.asfortranarray(chunks)):
        same_rollout(catapult.rollout(catapult.initial_state(), other), expected)


def test_nothing_is_compiled_twice(catapult):
    """Read-only, strided or foreign arrays would be other types to numba, and cost ten seconds each."""
    env = KinetixEnv("catapult")
    env.reset()
    chunks = random_chunks(4, 5)
    chunks.flags.writeable = False
    for odd in (chunks, chunks[::2], chunks.transpose(1, 0, 2), chunks.astype(">f4"), chunks.tolist()):
        catapult.rollout(catapult.initial_state(), odd)
    for odd in (chunks[0, 0], np.zeros(12, np.float32)[::2], np.zeros(6, ">f4"), [0] * 6):
        env.step(odd)
    for kernel in (kernels.step, kernels.observe, kernels.place_all, batch.play):
        assert len(kernel.signatures) == 1


def test_no_chunks_and_no_ticks(catapult):
    assert catapult.rollout(catapult.initial_state(), np.zeros((0, 4, 6))).rewards.shape == (0, 4)
    nothing = catapult.rollout(catapult.initial_state(), np.zeros((2, 0, 6)))
    assert nothing.ends.tolist() == [0, 0]
    np.testing.assert_array_equal(nothing.states[1], catapult.initial_state())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(0, 24), level=st.sampled_from(LEVELS))
def test_a_rollout_can_be_cut_anywhere(seed, cut, level):
    """State is all there is: going on from it is the same as not having stopped."""
    engine = cached(level)
    chunk = random_chunks(1, 24, seed)
    whole = engine.rollout(engine.initial_state(), chunk)
    head = engine.rollout(engine.initial_state(), chunk[:, :cut])
    tail = engine.rollout(head.states, chunk[:, cut:])
    np.testing.assert_array_equal(tail.states, whole.states)
    np.testing.assert_array_equal(np.concatenate([head.rewards, tail.rewards], 1), whole.rewards)
    np.testing.assert_array_equal(
        np.concatenate([head.distances, tail.distances], 1)[:, :cut], whole.distances[:, :cut]
    )


cached = functools.cache(Simulator)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), level=st.sampled_from(LEVELS))
def test_actions_are_clipped_by_the_physics(seed, level):
    engine = cached(level)
    wild = random_chunks(1, 16, seed) * 3
    tame = np.concatenate([np.clip(wild[..., :4], -1, 1), np.clip(wild[..., 4:], 0, 1)], -1)
    same_rollout(engine.rollout(engine.initial_state(), wild), engine.rollout(engine.initial_state(), tame))


def test_the_largest_actions_are_finite(catapult):
    huge = np.full((1, 50, 6), np.finfo(np.float32).max, np.float32)
    bodies = catapult.rollout(catapult.initial_state(), huge).states.view(STATE)["bodies"]
    assert np.isfinite(bodies["pos"]["x"]).all()


def test_a_broken_state_ends(catapult):
    """A body that is nowhere ends the episode: no NaN goes on for ever."""
    state = catapult.initial_state()
    state.view(STATE)["bodies"]["vel"]["x"][0, 4] = np.nan
    result = catapult.rollout(state, np.zeros((1, 5, 6), np.float32), observations=True)
    assert result.ends[0] == 0
    assert result.rewards[0, 0] == 0
    assert np.isfinite(result.observations).all()


def test_threads_do_not_disturb_one_another(catapult):
    chunks = [random_chunks(16, 60, seed) for seed in range(4)]
    expected = [catapult.rollout(catapult.initial_state(), chunk) for chunk in chunks]
    results = [None] * 4

    def play(k):
        for _ in range(5):
            results[k] = catapult.rollout(catapult.initial_state(), chunks[k])

    threads = [threading.Thread(target=play, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result, wanted in zip(results, expected, strict=True):
        same_rollout(result, wanted)


def test_copies_play_the_same(catapult):
    chunks = random_chunks(2, 40)
    expected = catapult.rollout(catapult.initial_state(), chunks)
    for other in (copy.deepcopy(catapult), pickle.loads(pickle.dumps(catapult)), Simulator("catapult")):
        same_rollout(other.rollout(other.initial_state(), chunks), expected)


GOOD_CHUNKS = np.zeros((2, 3, 6), np.float32)
BAD_CHUNKS = [
    (np.zeros((3, 6)), "float64[3, 6]"),
    (np.zeros((2, 3, 5)), "float64[2, 3, 5]"),
    (np.zeros(6), "float64[6]"),
    (np.zeros((1, 2, 3, 6)), "float64[1, 2, 3, 6]"),
    (np.zeros((2, 3, 6), bool), "bool[2, 3, 6]"),
    (np.zeros((2, 3, 6), complex), "complex128[2, 3, 6]"),
    (np.zeros((2, 3, 6), object), "object[2, 3, 6]"),
    (np.full((2, 3, 6), "x"), "Chunks are float32[N, H, 6]"),
    ("chunk", "a str"),
    (None, "a NoneType"),
    ([[1, 2], [3]], "a list"),
    (np.full((2, 3, 6), np.nan), "NaN or infinite"),
    (np.full((2, 3, 6), np.inf), "NaN or infinite"),
    (np.full((2, 3, 6), 1e300), "NaN or infinite"),
]


@pytest.mark.parametrize(("chunks", "says"), BAD_CHUNKS)
def test_bad_chunks(catapult, chunks, says):
    with pytest.raises(ArgumentError) as error:
        catapult.rollout(catapult.initial_state(), chunks)
    assert says in str(error.value)


BAD_STATES = [
    (None, "a NoneType"),
    (b"bytes", "a bytes"),
    (np.zeros(STATE_SIZE), f"float64[{STATE_SIZE}]"),
    (np.zeros(STATE_SIZE - 1, np.uint8), f"uint8[{STATE_SIZE - 1}]"),
    (np.zeros((2, 5), np.uint8), "uint8[2, 5]"),
    (np.zeros((1, 1, STATE_SIZE), np.uint8), f"uint8[1, 1, {STATE_SIZE}]"),
    (np.zeros(STATE_SIZE, np.uint8), "not a state of level 'catapult'"),
    (np.zeros((2, STATE_SIZE), np.uint8), "not a state of level 'catapult'"),
    (Simulator("trampoline").initial_state(), "not a state of level 'catapult'"),
    (np.repeat(Simulator("catapult").initial_state()[None], 3, 0), "3 states do not fit 2 chunks"),
]


@pytest.mark.parametrize(("states", "says"), BAD_STATES)
def test_bad_states(catapult, states, says):
    with pytest.raises(ArgumentError) as error:
        catapult.rollout(states, GOOD_CHUNKS)
    assert says in str(error.value)


def test_the_announcement_comes_on_a_terminal_only(monkeypatch, capsys):
    with simulator._announce_delay(0.01):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with simulator._announce_delay(0.01):
        time.sleep(0.1)
    assert capsys.readouterr().err.count("compiling the Kinetix engine") == 1
    with simulator._announce_delay(10):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("n", [1, 8])
def test_a_body_that_flies_off_ends_the_episode_and_leaves_its_last_distance(n):
    chain = Simulator("chain_lander")
    states = np.stack([chain.initial_state()] * n)
    states.view(STATE)["bodies"]["vel"]["x"] = np.inf
    states.view(STATE)["distance"] = 2.5
    play = chain.play(states, np.zeros((n, 3, 6), np.float32), np.full(n, 3))
    np.testing.assert_array_equal(play.ends, 0)
    np.testing.assert_array_equal(play.distances, 2.5)
