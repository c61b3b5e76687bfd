"""Many states advanced in place: the same bits as single steps, whatever the batch, the threads and the ticks."""

import functools
import multiprocessing
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.errors import ActionError, ArgumentError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.level_simulator import STATE_SIZE
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.kinetix.env import KinetixEnv

cached = functools.cache(Simulator)


def random_batch(level, n, horizon, seed=0):
    """States on the way, some of them ended, with actions and numbers of ticks."""
    engine, rng = cached(level), np.random.default_rng(seed)
    held = rng.uniform(-1.5, 1.5, (n, 1 + (horizon + 40) // 8, 6)).astype(np.float32)
    actions = np.repeat(held, 8, axis=1)[:, : horizon + 40]
    states = np.tile(engine.initial_state(), (n, 1))
    engine.play(states, actions[:, :40], rng.integers(0, 41, n))
    return states, np.ascontiguousarray(actions[:, 40:]), rng.integers(0, horizon + 1, n)


def step_by_step(level, state, actions, ticks, observation):
    """What `play` should do to one state, through single steps of the environment."""
    env = KinetixEnv(level, observation=observation)
    env.set_state(state)
    rewards, distances = np.zeros((2, len(actions)), np.float32)
    end, seen = ticks, env._observe()
    distances[:] = env._state["distance"][0]
    for t, action in enumerate(actions[:ticks]):
        if env._state["ended"][0]:
            return -1, rewards, distances, seen, env.get_state()
        seen, rewards[t], terminated, _, _ = env.step(action)
        distances[t:] = env._state["distance"][0]
        if terminated:
            end = t
            break
    return end, rewards, distances, seen, env.get_state()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("observation", ["symbolic", "compact"])
def test_it_is_what_single_steps_do(level, observation):
    states, actions, ticks = random_batch(level, 11, 24)
    ticks[states.view(np.uint32)[:, 2] != 0] = 24  # of those that had ended too
    before = states.copy()
    played = cached(level).play(states, actions, ticks, observation=observation)
    for n in range(11):
        end, rewards, distances, seen, state = step_by_step(level, before[n], actions[n], ticks[n], observation)
        assert played.ends[n] == end
        np.testing.assert_array_equal(played.rewards[n], rewards)
        np.testing.assert_array_equal(played.distances[n], distances)
        np.testing.assert_array_equal(played.observations[n], seen)
        np.testing.assert_array_equal(states[n], state)


@settings(max_examples=60, deadline=None)
@given(
    level=st.sampled_from(LEVELS),
    n=st.integers(1, 40),
    horizon=st.integers(0, 12),
    threads=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_same_whatever_the_batch_and_the_threads(level, n, horizon, threads, seed):
    states, actions, ticks = random_batch(level, n, horizon, seed)
    alone = states.copy()
    together = cached(level).play(states, actions, ticks, observation="symbolic", threads=threads)
    for k in range(n):
        one = slice(k, k + 1)
        single = cached(level).play(alone[one], actions[one], ticks[one], observation="symbolic")
        for ours, theirs in zip(together, single, strict=True):
            np.testing.assert_array_equal(ours[one], theirs)
    np.testing.assert_array_equal(states, alone)


def test_it_is_what_rollout_does_without_touching_the_states():
    engine = cached("chain_lander")
    states, actions, _ = random_batch("chain_lander", 19, 80)
    rolled = engine.rollout(states, actions, observations=True)
    played = engine.play(states, actions, np.full(19, 80), observation="symbolic", threads=2)
    assert (played.ends < 80).any()
    for field in ("ends", "rewards", "distances"):
        np.testing.assert_array_equal(getattr(played, field), getattr(rolled, field))
    np.testing.assert_array_equal(played.observations, rolled.observations[:, -1])
    np.testing.assert_array_equal(states, rolled.states)


def test_ended_states_and_those_without_ticks_stay():
    engine = cached("chain_lander")
    states, actions, _ = random_batch("chain_lander", 24, 120)
    ticks = np.full(24, 120)
    ticks[:4] = 0
    first = engine.play(states, actions, ticks)
    ended = (first.ends >= 0) & (first.ends < ticks)
    assert ended.any()
    assert (first.ends[:4] <= 0).all()
    kept = states.copy()
    ticks[~ended] = 0
    again = engine.play(states, actions, ticks)
    assert (again.ends[ended] == -1).all()
    assert (again.rewards[ended] == 0).all()
    np.testing.assert_array_equal(states, kept)


def test_without_an_observation_there_is_none():
    states, actions, ticks = random_batch("catapult", 3, 4)
    assert cached("catapult").play(states, actions, ticks).observations is None


def test_no_states_and_no_rows():
    engine = cached("catapult")
    none = engine.play(
        np.zeros((0, STATE_SIZE), np.uint8), np.zeros((0, 4, 6)), np.zeros(0, int), observation="compact"
    )
    assert none.observations.shape == (0, engine.compact_size)
    states = np.tile(engine.initial_state(), (9, 1))
    assert engine.play(states, np.zeros((9, 0, 6)), np.zeros(9, int)).ends.tolist() == [0] * 9
    np.testing.assert_array_equal(states, np.tile(engine.initial_state(), (9, 1)))


def test_rows_that_are_not_played_may_hold_anything():
    engine = cached("catapult")
    states, actions, _ = random_batch("catapult", 12, 6)
    others = states.copy()
    ticks = np.arange(12) % 7
    expected = engine.play(others, actions, ticks)
    for n, count in enumerate(ticks):
        actions[n, count:] = np.nan
    for ours, theirs in zip(engine.play(states, actions, ticks)[:3], expected[:3], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(states, others)


def good():
    return {
        "states": np.tile(cached("catapult").initial_state(), (9, 1)),
        "actions": np.zeros((9, 3, 6), np.float32),
        "ticks": np.full(9, 3),
    }


def with_nan():
    actions = good()["actions"]
    actions[8, 2, 1] = np.nan
    return actions


BAD = [
    ({"actions": with_nan()}, ActionError, "first in row 2 of chunk 8"),
    ({"actions": np.zeros((9, 3, 5))}, ActionError, "float64[9, 3, 5]"),
    ({"actions": "left"}, ActionError, "a str"),
    ({"ticks": np.full(9, 4)}, ArgumentError, "0 to 3"),
    ({"ticks": np.full(9, -1)}, ArgumentError, "0 to 3"),
    ({"ticks": np.full(8, 1)}, ArgumentError, "int64[9]"),
    ({"ticks": np.full(9, 1.0)}, ArgumentError, "int64[9]"),
    ({"ticks": None}, ArgumentError, "None"),
    ({"states": good()["states"][:8]}, ArgumentError, "8 states do not fit 9 chunks"),
    ({"states": good()["states"][0]}, ArgumentError, f"uint8[{STATE_SIZE}]"),
    ({"states": np.tile(Simulator("trampoline").initial_state(), (9, 1))}, ArgumentError, "level 'catapult'"),
    ({"states": np.repeat(good()["states"], 2, axis=0)[::2]}, ArgumentError, "in place"),
    ({"states": None}, ArgumentError, "a NoneType"),
    ({"observation": "symbolik"}, ArgumentError, "did you mean 'symbolic'?"),
    ({"observation": "state"}, ArgumentError, "'state'"),
    ({"threads": 0}, ArgumentError, "threads=0"),
    ({"threads": 1.5}, ArgumentError, "threads=1.5"),
]


@pytest.mark.parametrize(("bad", "kind", "says"), BAD)
def test_what_is_wrong_is_said_and_nothing_moves(bad, kind, says):
    arguments = {**good(), **bad}
    states = arguments["states"]
    kept = None if states is None else states.copy()
    with pytest.raises(kind) as error:
        cached("catapult").play(**arguments)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    np.testing.assert_array_equal(states, kept)


def test_read_only_states_are_refused():
    arguments = good()
    arguments["states"].flags.writeable = False
    with pytest.raises(ArgumentError, match="read-only"):
        cached("catapult").play(**arguments)


def test_one_thread_starts_none(monkeypatch):
    """Not even on a terminal, where what compiles for long says so."""
    states, actions, ticks = random_batch("catapult", 40, 4)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail("a thread was started"))
    Simulator("catapult").play(states, actions, ticks, threads=1)


def played_in_a_child(queue):
    states, actions, ticks = random_batch("catapult", 40, 4)
    cached("catapult").play(states, actions, ticks, threads=3)
    queue.put(states.tobytes())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process")  # Python warns that forking with threads is risky: that is the point
def test_a_forked_process_has_threads_of_its_own():
    states, actions, ticks = random_batch("catapult", 40, 4)
    cached("catapult").play(states, actions, ticks, threads=3)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=played_in_a_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == states.tobytes()
    child.join(60)
    assert child.exitcode == 0
