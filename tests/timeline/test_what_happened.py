"""Timelines of runs, and what contradicts itself."""

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.clock import ChunkClock, TickClock
from chunkenv.errors import ArgumentError
from chunkenv.latency import Streamed, Uniform
from chunkenv.timeline import InferenceTimes, Timeline, plan_timeline
from chunkenv.wrappers import ChunkedExecution
from tests import worlds  # noqa: F401 (registers the world)

ONE = InferenceTimes(0, (0, 0, 0, 0))


def infos_of(decisions=5, **options):
    options = {"prediction_horizon": 8, "execution_horizon": 4, "info": "actions"} | options
    env = ChunkedExecution(gym.make("tests/Recorder-v0", limit=1000), **options)
    env.reset(seed=3)
    return [env.step(env.action_space.sample())[-1] for _ in range(decisions)]


@pytest.mark.filterwarnings("ignore::chunkenv.errors.UnderrunWarning")
@pytest.mark.parametrize("options", [{}, {"overlap": False}, {"cold_start": "charged"}])
@pytest.mark.parametrize("delay", [0, 2, 6])
def test_a_run_is_as_it_was_planned(delay, options):
    played = Timeline.of(infos_of(latency=delay, **options), 8)
    assert played.acted == plan_timeline(8, 4, delay, played.ticks, **options).acted
    assert played.inferences == plan_timeline(8, 4, delay, played.ticks, **options).inferences


def test_a_run_with_random_latency():
    infos = infos_of(latency=Uniform(0.0, 0.4), decisions=20)
    timeline = Timeline.of(infos, 8)
    assert [inference.delays for inference in timeline.inferences] == [(info["delay"],) * 8 for info in infos]
    requests = np.cumsum([0] + [info["ticks"] for info in infos])[:-1]
    assert [inference.request for inference in timeline.inferences] == requests.tolist()
    ages = [tick - timeline.inferences[chunk].request for tick, (chunk, _) in enumerate(timeline.acted)]
    for tick, age in enumerate(np.concatenate([info["staleness"] for info in infos])):
        assert age == (ages[tick] if timeline.acted[tick][0] >= 0 else -1)


STREAMED = Streamed((0.05,) * 4 + (0.15,) * 3) + Uniform(0.0, 0.1)
"""Of seven rows: the last one never comes."""


@pytest.mark.parametrize("in_flight", [1, 2, 3])
@pytest.mark.parametrize("latency", [Uniform(0.0, 0.5), STREAMED], ids=["whole", "streamed"])
def test_any_run_is_a_timeline(latency, in_flight):
    """It refuses rows that were not there by their tick: none is refused, and ages are those of the observations."""
    infos = infos_of(latency=latency, execution_horizon=2, max_in_flight=in_flight, decisions=40)
    timeline = Timeline.of(infos, 8)
    staleness = np.concatenate([info["staleness"] for info in infos]).tolist()
    assert staleness == [
        tick - timeline.inferences[chunk].request if chunk >= 0 else -1
        for tick, (chunk, _) in enumerate(timeline.acted)
    ]
    assert max(timeline.in_flight(tick) for tick in range(timeline.ticks)) == in_flight
    assert {len(inference.delays) for inference in timeline.inferences[1:]} == {7 if latency is STREAMED else 8}


def test_the_sources_of_the_clocks():
    clock, sources, inferences = ChunkClock(8, 4), [], []
    for _ in range(4):
        cycle = clock.cycle(2)
        inferences.append(InferenceTimes(clock.tick, (cycle.delay,) * 8))
        sources += cycle.sources()
        clock.advance(cycle)
    ticks = TickClock(8, 4)
    found = []
    for tick in range(16):
        if ticks.in_flight and tick == ticks.in_flight[0].tick + 2:
            ticks.arrive(ticks.in_flight[0], tick)
        if ticks.is_due:
            inference = ticks.request(tick)
            if tick == 0:
                ticks.arrive(inference, tick)
        found.append(ticks.next())
    assert Timeline(8, sources, inferences).acted == Timeline(8, found, inferences).acted


def test_what_inferences_took_and_which_ticks_were_late():
    timeline = Timeline.of(infos_of(latency=2, decisions=2), 8, control_dt=0.05, late={3: 0.01}, seconds=[None, 0.07])
    assert [inference.seconds for inference in timeline.inferences] == [None, 0.07]
    assert (timeline.control_dt, timeline.late) == (0.05, {3: 0.01})


def test_rows_that_stream_are_read_from_the_infos():
    info = {"sources": np.array([[0, 0], [0, 1]]), "delay": 0, "row_delays": np.array([0, 1, 1, -1])}
    assert Timeline.of([info], 4).inferences == (InferenceTimes(0, (0, 1, 1)),)


def test_an_inference_that_has_not_answered_is_in_flight_to_the_end():
    timeline = Timeline(4, [(0, 0), (0, 1), (1, 2), (1, 3)], [ONE, InferenceTimes(2, ())])
    assert [timeline.in_flight(tick) for tick in range(4)] == [0, 0, 1, 1]
    assert (timeline.inferences[1].arrives, timeline.inferences[1].finishes) == (None, None)
    assert "chunk 1: requested at tick 2, has not come; no row acts" in timeline._repr_svg_()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((4, [(1, 0)], [ONE]), r"sources\[0\]=Source\(age=1, row=0\) is no row of a chunk .* by tick 0; give the inf"),
        ((4, [(0, 4)], [ONE]), r"sources\[0\]=Source\(age=0, row=4\) is no row"),
        ((4, [(0, 0), (0, 0)], [ONE]), r"sources\[1\].*cannot be: row 0 of chunk 0 is meant for tick 0"),
        ((4, [(0, 1)], [ONE]), r"sources\[0\].*row=1\) cannot be: row 0 of chunk 0 is meant for tick 0"),
        ((4, [(0, 0)], [InferenceTimes(0, (1,) * 4)]), r"cannot be: .* its rows come after \(1, 1, 1, 1\) ticks"),
        ((4, [(0, 0)], [InferenceTimes(0, ())]), r"cannot be: .* its rows come after \(\) ticks"),
        ((4, [], [ONE, ONE]), r"inferences\[1\] has its request at tick 0, after one at tick 0; give the inferences"),
        ((4, [], [InferenceTimes(0, (1, 0))]), r"inferences\[0\].delays=\(1, 0\) are not the ticks .* give 4 whole"),
        ((4, [], [InferenceTimes(0, (-1,))]), r"inferences\[0\].delays=\(-1,\) are not"),
        ((4, [], [InferenceTimes(0, (0,) * 5)]), r"inferences\[0\].delays=.* are not"),
        ((0, [], []), r"prediction_horizon=0 is too small"),
        ((4, [], [], 0.0), r"control_dt=0.0 is no time; give the seconds of a tick, such as 0.05\."),
        ((4, [], [], float("nan")), r"control_dt=nan is not a finite number"),
        ((4, [(0, 0)], [ONE], None, {0: 0.1}), r"late=\{0: 0.1\} is in seconds, which need control_dt; give it, too"),
        ((4, [(0, 0)], [ONE], 0.1, {0: -0.1}), r"late\[0\]=-0.1 is not a finite number of at least 0"),
        ((4, [(0, 0)], [ONE], 0.1, {1: 0.1}), r"a tick of late=1 is too large"),
    ],
)
def test_what_contradicts_itself(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Timeline(*arguments)


def test_infos_without_an_account():
    with pytest.raises(ArgumentError, match="have no 'sources': make the ChunkedExecution with info='actions'"):
        Timeline.of(infos_of(info="basic"), 8)
