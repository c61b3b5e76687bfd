"""N clocks with several inferences in flight at once are N of them one by one."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st

from chunkenv import ChunkedVectorExecution
from chunkenv.clock import FlightClock, bootstrap_discount, first_usable
from chunkenv.latency import LatencyModel, Streamed, Uniform
from chunkenv.testing import CountingEnv
from chunkenv.vector import flight_clocks as flight_clocks_module
from chunkenv.vector.flight_clocks import FlightClocks, find_alike
from tests.vector.comparing import same
from tests.vector.test_execution import counting

N = 4
ALL = np.ones(N, bool)


@st.composite
def flights(draw):
    """A clock, and for each decision each one's delay, what was expected, how far it plays and what becomes of it."""
    rows = draw(st.integers(1, 6))
    most = draw(st.integers(1, 3))
    ticks = st.integers(0, rows + 3)
    streams = st.lists(ticks, min_size=1, max_size=rows).map(lambda waits: tuple(sorted(waits)))
    executed = draw(st.integers(1, rows))
    overlap = most > 1 or draw(st.booleans())
    clock = FlightClock(rows, executed, overlap, draw(st.sampled_from(["free", "charged"])), 2, most)
    one = st.tuples(streams if draw(st.booleans()) else ticks, ticks, st.integers(0, 12), st.integers(0, 5))
    return clock, draw(st.lists(st.lists(one, min_size=N, max_size=N), max_size=12))


@given(flights())
def test_each_in_its_own_phase(case):
    clock, decisions = case
    streams = any(isinstance(one[0], tuple) for decision in decisions for one in decision)
    alone, clocks = [clock.copy() for _ in range(N)], FlightClocks(clock, N, streams)
    for decision in decisions:
        check_decision(alone, clocks, decision)


def check_decision(alone, clocks, decision):
    delays = np.empty(N, object)
    delays[:] = [one[0] for one in decision]
    delays = delays if clocks._streams else delays.astype(np.int64)
    expected, most, fate = (np.array(column) for column in list(zip(*decision, strict=True))[1:])
    assert clocks.usable(delays).tolist() == [first_usable(one[0], clocks._clock.overlap) for one in decision]
    assert clocks.next_is_free.tolist() == [one.next_is_free for one in alone]
    assert clocks.left_lengths.tolist() == [len(one.foresee(one.prediction_horizon)) for one in alone]
    assert clocks.prefix_lengths(expected).tolist() == [
        len(one.prefix(int(ticks))) for one, ticks in zip(alone, expected, strict=True)
    ]
    plans, which = cycles = clocks.cycles(delays, None, expected)
    wanted = [one.cycle(given[0], None, given[1]) for one, given in zip(alone, decision, strict=True)]
    lines = [plans[index] for index in which]
    assert [line.sources() for line in lines] == [one.sources() for one in wanted]
    assert [line.counts for line in lines] == [one.counts for one in wanted]
    played = np.minimum([plan.ticks for plan in wanted], most)
    terminated, ended = fate == 0, fate <= 1
    result = clocks.outcome(cycles, played, terminated, ended, 0.9)
    for index, plan in enumerate(wanted):
        count = int(played[index])
        assert result.discount[index] == bootstrap_discount(0.9, count, bool(terminated[index]))
        assert result.delay[index] == plan.delay
        assert result.underruns[index] == plan.underruns_within(count)
        assert result.discarded[index] == plan.discarded(count, bool(ended[index]))
    told = clocks.summary(cycles, played)
    assert ("row_delays" in told) == clocks._streams
    met = clocks.advance(cycles, result, played, ALL)
    learned = [[int(each.delays[index]) for each in met if each.members[index]] for index in range(N)]
    assert learned == [one.advance(plan, int(count)) for one, plan, count in zip(alone, wanted, played, strict=True)]
    clocks.reset(terminated)
    for index in np.flatnonzero(terminated):
        alone[index].reset()
    assert clocks.tick.tolist() == [one.tick for one in alone]


def test_different_objects():
    one, other = [1], [1]
    different, which = find_alike([one, other, one])
    assert different[0] is one
    assert different[1] is other
    assert which.tolist() == [0, 1, 0]


def flying(num_envs=3, **chunks):
    arguments = dict(prediction_horizon=8, execution_horizon=2, latency=4, max_in_flight=2, info="full")
    return counting(num_envs, **(arguments | chunks))


def test_those_that_stand_alike_are_planned_once(monkeypatch):
    """Each decision of 300 environments is planned once; in the steady state it is known already."""
    planned = []
    plan = FlightClock.cycle
    monkeypatch.setattr(FlightClock, "cycle", lambda *given, **named: planned.append(1) or plan(*given, **named))
    envs = flying(300, info="basic")
    planned.clear()
    envs.reset(seed=0)
    for _ in range(20):
        envs.step(envs.action_space.sample())
    assert len(planned) < 8


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(flight_clocks_module, "MOST", 2)
    bounded, usual = (flying(latency=Uniform(0.0, 0.6), control_dt=0.1, request_period=2) for _ in range(2))
    envs = [bounded, usual]
    for one in envs:
        one.reset(seed=0)
    for number in range(15):
        monkeypatch.setattr(flight_clocks_module, "MOST", 2)
        actions = bounded.action_space.sample()
        first = bounded.step(actions)
        monkeypatch.setattr(flight_clocks_module, "MOST", 1024)
        same(first, usual.step(actions), f"step {number}")
        assert len(bounded._clocks._known) <= 2


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda envs: pickle.loads(pickle.dumps(envs))])
@pytest.mark.parametrize("latency", [4, Streamed((0.1, 0.1, 0.4, 0.4))])
def test_a_copy_goes_on_alike(copied, latency):
    members = SyncVectorEnv([CountingEnv] * 3)
    envs = ChunkedVectorExecution(members, 8, 2, latency=latency, control_dt=0.1, max_in_flight=2, info="full")
    envs.reset(seed=0)
    for _ in range(5):
        envs.step(envs.action_space.sample())
    twin = copied(envs)
    for _ in range(5):
        actions = envs.action_space.sample()
        same(envs.step(actions), twin.step(actions))


def test_two_in_flight_by_hand():
    """H=8, s=2, d=4, k=2: requests in ticks 0, 2, 4, and from tick 6 on rows 4 and 5 of the chunk before the last."""
    envs = ChunkedVectorExecution(SyncVectorEnv([CountingEnv] * 2), 8, 2, latency=4, max_in_flight=2, info="actions")
    envs.reset(seed=0)
    for number in range(5):
        request = envs.request
        assert request.tick.tolist() == [2 * number] * 2
        *_, infos = envs.step(np.full((2, 8, 1), number, np.float32) + 0.1 * np.arange(8, dtype=np.float32)[:, None])
    assert infos["sources"][1].tolist() == [[2, 4], [2, 5]]
    assert infos["in_flight"].tolist() == [1, 1]
    assert [float(action[0]) for action in infos["actions"][0]] == pytest.approx([2.4, 2.5])
    request = envs.request
    assert request.pending.mask.tolist() == [[True]] * 2
    assert request.pending.ages.tolist() == [[2]] * 2
    assert request.pending.chunks[1, 0, :, 0] == pytest.approx([4.0, 4.1, 4.2, 4.3, 4.4, 4.5, 4.6, 4.7])
    assert request.prefix[0, : request.prefix_length[0], 0] == pytest.approx([3.4, 3.5, 4.4, 4.5])


def test_a_slow_inference_may_be_older_than_many_that_have_arrived():
    """The chunk of tick 1 takes 20 ticks and is pending all the while; those after it are there at once."""
    slow = Scripted((2.0,))
    options = dict(prediction_horizon=4, execution_horizon=1, latency=slow, control_dt=0.1, request_period=1)
    envs = flying(1, **options)
    envs.reset(seed=0)
    for number in range(12):
        envs.step(np.full((1, 4, 1), number, np.float32))
    pending = envs.request.pending
    assert pending.ages.tolist() == [[11]]
    assert pending.chunks[0, 0, :, 0].tolist() == [1] * 4
    assert len(envs._store._older) == 10
    for number in range(12, 25):
        envs.step(np.full((1, 4, 1), number, np.float32))
    assert not envs.request.pending.mask.any()
    assert len(envs._store._older) == 2


@dataclass(frozen=True)
class Scripted(LatencyModel):
    """Gives the seconds that it was told to, one after the other, and then 0."""

    seconds: tuple

    def begin_episode(self, rng, number):
        return iter(self.seconds)

    def draw(self, rng, state):
        return next(state, 0.0), state


@pytest.mark.parametrize("in_flight", [1, 2])
def test_a_chunk_acts_to_its_end_while_streams_end_too_soon(in_flight):
    worlds = SyncVectorEnv([CountingEnv] * 2)
    options = {"latency": Streamed((0.05,)), "control_dt": 0.05, "max_in_flight": in_flight, "info": "actions"}
    envs = ChunkedVectorExecution(worlds, 6, 1, **options)
    envs.reset(seed=0)
    found = []
    for _ in range(7):
        envs.action_space.seed(0)
        found.append(envs.step(envs.action_space.sample())[4]["sources"][0].tolist())
    assert found == [[[i, i]] for i in range(6)] + [[[-1, -1]]]
