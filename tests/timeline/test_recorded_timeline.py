"""The timeline of a recording is that of the run that it records."""

import gymnasium as gym
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.latency import RecordedTrace, TraceRow, Uniform
from chunkenv.timeline import Timeline, draw_timeline, recorded_timeline
from chunkenv.wrappers import ChunkedExecution
from tests import worlds  # noqa: F401 (registers the world)

DT = 0.05  # seconds, of the world's ticks


def play(seed, **options):
    """The infos of an episode, and what a control loop would have recorded of it."""
    world = gym.make("tests/Recorder-v0", limit=60)
    env = ChunkedExecution(world, 8, 3, latency=Uniform(0.0, 0.45), info="actions", **options)
    env.reset(seed=seed)
    infos, rows, ended, tick = [], [], False, 0
    while not ended:
        *_, ended, info = env.step(env.action_space.sample())
        free = not rows and options.get("cold_start") != "charged"
        rows.append(TraceRow(0, tick, info["delay"] * DT, None if free else info["delay"]))
        infos.append(info)
        tick += info["ticks"]
    return infos, RecordedTrace(DT, (TraceRow(7, 0, 0.1, 2), *rows))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cold_start": "charged"},
        {"overlap": False},
        {"max_in_flight": 2},
        {"max_in_flight": 3, "request_period": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", range(5))
def test_it_is_that_of_the_run(options, seed):
    infos, trace = play(seed, **options)
    timeline = recorded_timeline(trace, 8, ticks=60, overlap=options.get("overlap", True))
    assert timeline.acted == Timeline.of(infos, 8).acted
    assert len({chunk for chunk, _ in timeline.acted}) > 5


def test_seconds_are_drawn_but_for_the_first_chunk_which_control_waited_for():
    rows = (TraceRow(0, 0, 0.9, None), TraceRow(0, 4, 0.03, 2), TraceRow(0, 8, None, 3))
    timeline = recorded_timeline(RecordedTrace(0.02, rows), 8)
    assert [inference.seconds for inference in timeline.inferences] == [None, 0.03, None]
    assert (timeline.ticks, timeline.control_dt) == (11, 0.02)
    assert "seconds" in draw_timeline(timeline)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"episode": 3}, r"episode=3 is not in the recording; choose one of 0 to 7\."),
        ({"ticks": 0}, r"ticks=0 is too small"),
        ({"overlap": "no"}, r"overlap='no' is not True or False"),
        ({"prediction_horizon": 0}, r"prediction_horizon=0 is too small"),
    ],
)
def test_mistakes(options, sentence):
    rows = (TraceRow(0, 0, 0.1, None), TraceRow(7, 0, 0.1, None))
    with pytest.raises(ArgumentError, match=sentence):
        recorded_timeline(RecordedTrace(0.05, rows), **({"prediction_horizon": 8} | options))
