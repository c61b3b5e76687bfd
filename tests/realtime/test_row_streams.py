"""Rows that stream under the real clock: they act as the simulated clock has it, and what goes wrong in the middle."""

import dataclasses
import itertools
import math
import time

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import ChunkedExecution
from chunkenv.errors import PolicyFault
from chunkenv.evaluate import episode_seed, evaluate
from chunkenv.latency import Streamed
from chunkenv.realtime import ManualClock, RealtimeExecution, ScriptedWorker
from chunkenv.realtime.row_reader import RowReader
from chunkenv.strategies import Cost
from tests.realtime.shared import DT, Listed, Numbers, Random, make_loop, same, seconds_of
from tests.realtime.test_realtime_execution import correct, promised_nothing, simulate


@dataclasses.dataclass(frozen=True)
class ListedRows(Listed):
    """Delays of rows that are listed, in ticks."""

    @property
    def rows(self):
        return max(map(len, self.ticks))

    def draw(self, rng, state):
        return tuple(ticks * DT for ticks in self.ticks[state % len(self.ticks)]), state + 1


class Stream(Random):
    """The chunks of `Random`, row by row."""

    def infer_stream(self, observation, request):
        chunk = self.infer(observation, request)
        for count in range(1, len(chunk) + 1):
            yield chunk[:count]


def scripted_rows(delays, free=True):
    """A worker whose rows come after the listed delays; all of a free start at once."""
    clock = ManualClock()

    def seconds(inference):
        number = inference.number - free
        return 0.2 if number < 0 else [*map(seconds_of, delays[number % len(delays)])]

    return {"clock": clock, "worker": ScriptedWorker(clock, seconds), "stream": True}


def compare(rows, horizon, delays, latency, in_flight=1, limit=17, **options):
    """The real clock has the steps, requests and draws of the simulated one; several in flight: but for the prefix."""
    simulated, real, decisions = Stream((rows, horizon)), Stream((rows, horizon)), []
    options = {"info": "full", "delay_estimate": "last", "typical_delay": 1, "max_in_flight": in_flight} | options
    timing = scripted_rows(delays, options.get("cold_start", "free") == "free")
    loop = make_loop(Numbers(limit), real, rows, horizon, **timing, warm_up=0, **options)
    found = loop.run(2, 3, on_decision=decisions.append)
    del options["typical_delay"]

    def make():
        return ChunkedExecution(Numbers(limit), rows, horizon, latency=latency, control_dt=DT, **options)

    env = make()
    steps = [step for episode in range(2) for step in simulate(env, simulated, episode_seed(3, episode))]
    assert len(decisions) == len(steps)
    if in_flight > 1:
        for info in [decision.info for decision in decisions] + [step[4] for step in steps]:
            del info["broken_prefix"]
        assert all(len(each.prefix) == each.prefix_length for each in real.requests), "rows that are not there"
        real.requests, simulated.requests = (promised_nothing(each.requests) for each in (real, simulated))
    for decision, step in zip(decisions, steps, strict=True):
        assert same(list(decision[2:]), step), f"{decision[2:]}\n{step}"
    assert same(real.requests, simulated.requests)
    assert found == evaluate(make, Stream((rows, horizon)), 2, 3)
    return decisions


@st.composite
def schedules(draw):
    """H, s, and the row delays of some inferences: nondecreasing, at times not to the last row."""
    rows = draw(st.integers(1, 8))
    one = st.lists(st.integers(0, rows + 3), min_size=1, max_size=rows).map(lambda ticks: tuple(sorted(ticks)))
    return rows, draw(st.integers(1, rows)), draw(st.lists(one, min_size=1, max_size=6))


OPTIONS = st.fixed_dictionaries(
    {
        "overlap": st.booleans(),
        "cold_start": st.sampled_from(["free", "charged"]),
        "underrun": st.sampled_from(["hold", "zero", "stop", [0.25]]),
        "delay_estimate": st.sampled_from(["last", "max:3"]),
        "correction": st.sampled_from([None, correct]),
        "limit": st.integers(1, 25),
    }
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(deadline=None)
@given(schedules(), OPTIONS)
def test_rows_stream_as_simulated(schedule, options):
    rows, horizon, delays = schedule
    compare(rows, horizon, delays, ListedRows(tuple(delays)), **options)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(deadline=None)
@given(schedules(), OPTIONS, st.integers(2, 3))
def test_several_streams_in_flight_are_as_simulated(schedule, options, in_flight):
    rows, horizon, delays = schedule
    compare(rows, horizon, delays, ListedRows(tuple(delays)), in_flight, **options | {"overlap": True})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=2_000, deadline=None)
@given(schedules(), OPTIONS, st.integers(1, 3))
def test_rows_stream_as_simulated_in_two_thousand_cases(schedule, options, in_flight):
    rows, horizon, delays = schedule
    options["overlap"] |= in_flight > 1
    compare(rows, horizon, delays, ListedRows(tuple(delays)), in_flight, **options)


@pytest.mark.parametrize(
    ("delays", "sources", "usable"),
    [
        ((1, 1, 1, 1, 3, 3, 3, 3), [[1, 4], [0, 1], [0, 2], [0, 3]], 1),
        ((3,) * 8, [[1, 4], [1, 5], [1, 6], [0, 3]], 3),
        ((0, 0, 5, 5, 5), [[0, 0], [0, 1], [-1, -1], [-1, -1], [-1, -1]], 0),
    ],
    ids=["rows that stream", "a whole chunk", "rows that are missing and a stream that ends early"],
)
def test_a_table_of_streams(delays, sources, usable):
    latency = Streamed(tuple(ticks * DT for ticks in delays))
    decisions = compare(8, 4, [delays], latency, typical_delay=delays[0])
    second = decisions[1].info
    assert second["sources"].tolist() == sources
    assert second["delay"] == usable
    assert second["row_delays"].tolist() == [*delays, *[-1] * (8 - len(delays))]
    assert second["underruns"] == sources.count([-1, -1])


def test_the_trace_holds_whole_inferences():
    loop = make_loop(
        Numbers(9, terminates=False), Stream((8, 4)), 8, 4, **scripted_rows([(1, 1, 1, 1, 3, 3, 3, 3)]), warm_up=0
    )
    loop.run(1, 0)
    assert [(row.request_tick, row.delay_ticks) for row in loop.trace] == [(0, None), (4, 3), (8, 3)]
    assert [row.latency_s for row in loop.trace][1:] == [2.5 * DT] * 2


def test_whole_chunks_are_asked_for_unless_streams_are():
    class Whole(Random):
        def infer_stream(self, observation, request):
            raise AssertionError

    decisions = []
    make_loop(Numbers(), Whole((8, 4)), 8, 4, [2]).run(1, 0, on_decision=decisions.append)
    assert all("row_delays" not in decision.info for decision in decisions)


def test_evaluations_are_counted_when_a_stream_ends():
    policy = Stream((8, 4))
    policy.cost = Cost(evaluations=5, vjps=0, flops=None)
    (row,) = make_loop(Numbers(8, terminates=False), policy, 8, 4, **scripted_rows([(1,) * 8])).run(1, 0)
    assert row["denoiser_evaluations"] == 10


# What goes wrong


class Failing(Random):
    """Does something else after row 3 of its second inference."""

    def __init__(self, fail):
        super().__init__((8, 4))
        self.fail, self.count = fail, itertools.count()

    def infer_stream(self, observation, request):
        chunk, second = self.infer(observation, request), next(self.count) == 1
        yield chunk[:4]
        yield self.fail(chunk) if second else chunk


def raise_error(chunk):
    raise ZeroDivisionError("division by zero")


def with_nan(chunk):
    return np.concatenate([chunk[:5], chunk[5:6] * np.nan])


WRONG = {
    "raises": (raise_error, "Failing raised ZeroDivisionError: division by zero"),
    "fewer rows": (
        lambda chunk: chunk[:3],
        r"Failing.infer_stream yielded rows that cannot be executed: 3 rows came after 4; yield all that are there",
    ),
    "NaN": (with_nan, r"the chunk has the value nan at index \(5, 0\)"),
    "other rows": (lambda chunk: chunk + np.float32(1), "row 0 was .* and is .*; rows that are there must stay"),
    "too many": (lambda chunk: np.zeros((9, 1)), "is not up to 8 rows; yield an array of those there are"),
    "another A": (lambda chunk: np.zeros((8, 2)), r"the chunk has shape \(8, 2\); expected \(8, 1\)"),
    "nothing": (lambda chunk: None, "None is not up to 8 rows"),
}
DELAYS = [1, 1, 1, 1, 2, 2, 2, 2]


def run_failing(fail, delays=DELAYS, **options):
    decisions = []
    timing = scripted_rows([delays])
    env = Numbers(17, terminates=False)
    loop = make_loop(env, Failing(fail), 8, 4, **timing, warm_up=0, info="actions", **options)
    rows = loop.run(1, 0, on_decision=decisions.append)
    return rows, loop, decisions


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_in_the_middle_is_raised_with_its_tick(case):
    fail, sentence = WRONG[case]
    with pytest.raises(PolicyFault, match=f"{sentence}.*; this was the request of tick 4"):
        run_failing(fail)


@pytest.mark.parametrize("case", WRONG)
def test_rows_that_came_before_a_fault_stay(case):
    (row,), loop, decisions = run_failing(WRONG[case][0], on_fault="underrun")
    faulty, after = decisions[1].info, decisions[2].info
    assert faulty["sources"].tolist() == [[1, 4], [0, 1], [0, 2], [0, 3]]
    assert after["sources"].tolist() == [[-1, -1], [0, 1], [0, 2], [0, 3]], "rows 4 to 7 never came"
    assert faulty["row_delays"].tolist() == [1] * 4 + [-1] * 4
    assert faulty["fault"] == str(loop.faults[0])
    assert (row["ticks"], row["underruns"]) == (17, 1)
    assert [each.request_tick for each in loop.trace] == [0, 8, 12, 16]


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_in_the_middle_ends_the_episode(case):
    (row,), loop, decisions = run_failing(WRONG[case][0], on_fault="end")
    assert (row["ticks"], len(loop.faults)) == (6, 1)
    assert decisions[1].truncated
    assert decisions[1].info["sources"].tolist() == [[1, 4], [0, 1]]


def test_rows_of_a_free_start_that_fails_act():
    policy = Failing(raise_error)
    next(policy.count)
    loop = make_loop(
        Numbers(6, terminates=False),
        policy,
        8,
        4,
        **scripted_rows([DELAYS]),
        warm_up=0,
        on_fault="underrun",
        info="actions",
    )
    decisions = []
    loop.run(1, 0, on_decision=decisions.append)
    assert decisions[0].info["sources"].tolist() == [[0, 0], [0, 1], [0, 2], [0, 3]]
    assert decisions[0].info["row_delays"].tolist() == [0] * 4 + [-1] * 4


@pytest.mark.parametrize("on_fault", ["raise", "underrun", "end"])
def test_a_hang_in_the_middle_is_given_up(on_fault):
    script = [1, 1, 1, 1, *[math.inf] * 4]
    if on_fault == "raise":
        with pytest.raises(PolicyFault, match=r"did not answer within 0.25 seconds; this was the request of tick 4"):
            run_failing(lambda chunk: chunk, script, timeout=0.25)
        return
    _, loop, decisions = run_failing(lambda chunk: chunk, script, timeout=0.25, on_fault=on_fault)
    sources = decisions[1].info["sources"].tolist()
    assert sources == [[1, 4], [0, 1], [0, 2], [0, 3]] + [[-1, -1]] * 4
    assert "did not answer" in decisions[1].info["fault"]
    assert decisions[1].truncated == (on_fault == "end")
    assert {row.request_tick for row in loop.trace} == {0}


def test_a_stream_without_a_row_is_a_fault():
    class Silent(Random):
        def infer_stream(self, observation, request):
            return iter(())

    with pytest.raises(PolicyFault, match="the stream ended without a row; yield at least row 0"):
        make_loop(Numbers(), Silent((8, 4)), 8, 4, **scripted_rows([DELAYS])).run(1, 0)


def test_rows_of_an_episode_that_is_over_do_not_act():
    """The last inference is under way when its episode ends: its delays count on, and the next one begins idle."""
    decisions = []
    loop = make_loop(
        Numbers(5, terminates=False), Stream((8, 4)), 8, 4, **scripted_rows([range(3, 11)]), warm_up=0, info="full"
    )
    loop.run(2, 0, on_decision=decisions.append)
    for episode in (0, 1):
        first, last = (decision.info for decision in decisions if decision.episode == episode)
        assert (first["delay"], last["row_delays"].tolist()) == (0, [*range(3, 11)])
        assert last["sources"].tolist() == [[1, 4]]


BAD = {
    "a horizon that is chosen": (
        lambda: make_loop(Numbers(), Stream((8, 4)), 8, (2, 4), stream=True),
        r"execution_horizon=\(2, 4\) is chosen with a whole chunk, but stream=True runs rows before it is there",
    ),
    "no stream": (
        lambda: make_loop(Numbers(), Random((8, 4)), 8, 4, stream=True),
        "stream=True needs a policy that streams, but Random has no method infer_stream",
    ),
    "no stream where it is made": (
        lambda: make_loop(Numbers(), lambda: Random((8, 4)), 8, 4, stream=True).run(1, 0),
        "the policy cannot be made: ArgumentError: stream=True needs a policy that streams",
    ),
    "stream": (lambda: make_loop(Numbers(), Stream((8, 4)), 8, 4, stream=1), "stream=1 "),
    "a script that falls": (
        lambda: make_loop(Numbers(), Stream((8, 4)), 8, 4, **scripted_rows([(3, 1)])).run(1, 0),
        r"seconds=\[.*\] of an inference are not those of rows that come one by one",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    call, sentence = BAD[case]
    with pytest.raises((ValueError, PolicyFault), match=sentence):
        call()


def test_rows_of_any_space():
    space = gym.spaces.Dict({"arm": gym.spaces.Box(1.0, 2.0, (2,)), "grip": gym.spaces.Discrete(2)})
    read = RowReader(space, 3)
    arm, grip = np.ones((3, 2)), [1, 0, 1]
    parts = [{"arm": arm[:count], "grip": grip[:count]} for count in (0, 1, 1, 3)]
    (one, first), (whole, last) = read(parts)
    assert (first, last) == (1, 3)
    assert one["grip"].tolist() == [1, 0, 0]
    assert one["arm"].tolist() == whole["arm"].tolist() == arm.tolist()
    assert whole["grip"].tolist() == grip
    with pytest.raises(ValueError, match="has no part 'arm'"):
        list(read([[1]]))


# In threads and processes


class Slow(Random):
    """Half of the rows are there at once, the others later: never, if `seconds` is None."""

    def __init__(self, seconds, later_only=False):
        super().__init__((8, 4))
        self.seconds, self.later_only = seconds, later_only

    def infer_stream(self, observation, request):
        yield np.zeros((4, 1), np.float32)
        time.sleep(self.seconds if request.tick or not self.later_only else 0.0)
        yield np.zeros((8, 1), np.float32)


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_rows_act_before_the_last_is_there(worker):
    decisions = []
    env = Numbers(12, terminates=False)
    loop = RealtimeExecution(
        env, Slow(0.2), 8, 4, control_dt=0.02, worker=worker, stream=True, info="actions", timeout=60
    )
    loop.run(2, 0, on_decision=decisions.append)
    streamed = [decision.info for decision in decisions if decision.tick]
    assert any([0, 3] in info["sources"].tolist() for info in streamed)
    assert any(info["row_delays"][3] < info["row_delays"][7] for info in streamed)


@pytest.mark.parametrize(("worker", "seconds"), [("thread", 2.0), ("process", 600.0)])
def test_a_stream_that_hangs_is_given_up_with_its_worker(worker, seconds):
    """A thread cannot be ended, so that its stream goes on after a while."""
    loop = RealtimeExecution(
        Numbers(9, terminates=False),
        Slow(seconds, later_only=True),
        8,
        4,
        control_dt=0.02,
        worker=worker,
        stream=True,
        timeout=0.2,
        on_fault="underrun",
        first_action=[0.0],
    )
    (row,) = loop.run(1, 0)
    assert row["ticks"] == 9
    assert loop.faults
    assert all("did not answer within 0.2 seconds" in str(fault) for fault in loop.faults)


def test_a_policy_that_goes_on_after_its_last_row_is_busy():
    """The rows run; the next request waits until the policy can be asked."""

    class Busy(Random):
        def infer_stream(self, observation, request):
            yield np.zeros((8, 1), np.float32)
            time.sleep(0.3 if request.tick else 0.0)

    decisions = []
    loop = RealtimeExecution(
        Numbers(10, terminates=False),
        Busy((8, 1)),
        8,
        1,
        control_dt=0.02,
        worker="thread",
        stream=True,
        info="actions",
        timeout=60,
    )
    loop.run(1, 0, on_decision=decisions.append)
    second = decisions[1].info
    assert decisions[1].tick == 1
    assert second["row_delays"].max() < second["ticks"]
    assert [0, 3] in second["sources"].tolist()
