"""A recording replayed tick for tick."""

import copy
import json
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution, ChunkedVectorExecution
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import evaluate, evaluate_batch
from chunkenv.latency import Bursty, Constant, Delays, Trace, TraceRow, from_spec, write_trace
from tests.latency.shared import INF, NAN, Doubled, draws

ROWS = [
    TraceRow(0, 0, 0.03, None),
    TraceRow(0, 4, 0.031, 2),
    TraceRow(0, 8, 0.055, 3),
    TraceRow(1, 0, 0.07, 0),
    TraceRow(1, 4, None, 5),
    TraceRow(3, 0, 0.04, None),
    TraceRow(3, 4, 0.001, 1),
]


@pytest.fixture
def path(tmp_path):
    write_trace(tmp_path / "a.jsonl", ROWS, control_dt=1 / 30)
    return tmp_path / "a.jsonl"


def episodes_of(delays, episodes, count):
    drawn = []
    for episode in range(episodes):
        delays.reset(np.random.default_rng(episode))
        drawn.append([delays.next() for _ in range(count)])
    return drawn


def test_episodes_are_replayed_in_their_order_and_round_the_end(path):
    delays = Delays(Trace(path, mode="exact"), control_dt=1 / 30)
    assert episodes_of(delays, 5, 2) == [[2, 3], [0, 5], [2, 3], [1, 1], [2, 3]]  # the third has none of its own
    assert episodes_of(Delays(Trace(path, mode="exact", first_episode=3), 1 / 30), 2, 2) == [[1, 1], [2, 3]]
    assert episodes_of(Delays(Trace(path, "exact", first_episode=13), 1 / 30), 1, 2) == [[0, 5]]


def test_the_first_chunk_of_a_free_cold_start_is_no_delay(path):
    model = Trace(path, mode="exact")
    assert [round(seconds * 30) for seconds in model.seconds] == [2, 3, 0, 5, 1]
    assert (model.mean() * 30, model.quantile(0.0), model.recorded_dt) == (pytest.approx(11 / 5), 0.0, 1 / 30)


def test_which_episode_can_be_told(path):
    delays = Delays(Trace(path, mode="exact"), control_dt=1 / 30)
    rng = np.random.default_rng(0)
    for episode, first in ((3, 1), (1, 0), (None, 2), (None, 1)):
        delays.reset(rng, episode)
        assert delays.next() == first
    delays.reset(rng, 4)
    assert delays.next() == 2


def test_an_episode_can_be_drawn_from_the_seed(path):
    def first_delays(seed):
        delays = Delays(Trace(path, mode="exact", first_episode=None), control_dt=1 / 30)
        delays.reset(np.random.default_rng(seed))
        return delays.next(), delays.next()

    drawn = [first_delays(seed) for seed in range(40)]
    assert drawn == [first_delays(seed) for seed in range(40)]
    assert set(drawn) == {(2, 3), (0, 5), (1, 1)}


def test_an_episode_that_goes_on_begins_again_and_says_so(path):
    delays = Delays(Trace(path, mode="exact"), control_dt=1 / 30)
    delays.reset(np.random.default_rng(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a truncated episode asks for one that nothing waits for
        assert [delays.next() for _ in range(3)] == [2, 3, 2]
    with pytest.warns(
        UserWarning, match=r"has 2 delays in episode 0, and more are asked for: they begin again"
    ) as seen:
        assert [delays.next() for _ in range(5)] == [3, 2, 3, 2, 3]
    assert len(seen) == 1


@pytest.mark.parametrize("control_dt", [1e-9, 1 / 30, 0.1, 0.02, 1 / 3, 7.0, 1e6])
def test_ticks_are_those_of_the_recording_to_the_last(tmp_path, control_dt):
    rows = [TraceRow(0, tick, 0.0, delay) for tick, delay in enumerate([*range(2000), 10**6 + 1, 2**31 - 1])]
    write_trace(tmp_path / "a.jsonl", rows, control_dt)
    delays = Delays(Trace(tmp_path / "a.jsonl", mode="exact"), control_dt)
    delays.reset(np.random.default_rng(0))
    assert [delays.next() for _ in rows] == [row.delay_ticks for row in rows]


def test_other_ticks_than_those_of_the_recording_are_refused(path):
    for model in (Trace(path, mode="exact"), Trace(path, mode="exact") + Constant(0.1)):
        with pytest.raises(
            ArgumentError, match=r"recorded in ticks of 0.0333.* s, but a tick .* lasts 0.02 s; give con"
        ):
            Delays(model, control_dt=0.02)
    Delays(Trace(path), control_dt=0.02)
    Delays(Trace(path, mode="exact"), control_dt=float(np.float64(1) / 30) * (1 + 1e-12))


def test_models_around_it_replay_the_same_episodes(path):
    exact = Trace(path, mode="exact")
    assert episodes_of(Delays(exact + Constant(2 / 30), 1 / 30), 2, 2) == [[4, 5], [2, 7]]
    assert episodes_of(Delays(Bursty(exact, exact, 0.5, 0.0), 1 / 30), 4, 1) == [[2], [0], [2], [1]]
    assert episodes_of(Delays(Doubled(exact), 1 / 30), 2, 2) == [[4, 6], [4, 6]]  # begin alone knows no episode


def test_two_recordings_of_other_ticks_do_not_go_together(path, tmp_path):
    write_trace(tmp_path / "b.jsonl", ROWS, control_dt=0.02)
    with pytest.raises(ArgumentError, match=r"models with recorded_dt=.* do not go together"):
        Trace(path, mode="exact") + Trace(tmp_path / "b.jsonl", mode="exact")


def test_copies_go_on_in_the_same_episode(path):
    delays = Delays(Trace(path, mode="exact"), control_dt=1 / 30)
    delays.reset(np.random.default_rng(0))
    copies = [copy.deepcopy(delays), pickle.loads(pickle.dumps(delays))]
    for each in (delays, *copies):
        each.reset(np.random.default_rng(0))
        assert [each.next(), each.next()] == [0, 5]


def test_spec_and_repr(path):
    model = Trace(path, mode="exact", first_episode=None)
    assert model.spec() == {"model": "trace", "recording": str(path), "mode": "exact", "first_episode": None}
    assert from_spec(json.loads(json.dumps(model.spec()))) == model == eval(repr(model), {"Trace": Trace})
    assert Trace(path, mode="exact") != model
    assert hash(Trace(path, mode="exact")) == hash(Trace(path, mode="exact"))


@pytest.mark.parametrize("mode", ["replay", "resample"])
def test_the_other_modes_take_the_seconds(path, mode):
    model = Trace(path, mode=mode)
    assert model.seconds == (0.03, 0.031, 0.055, 0.07, 0.04, 0.001)
    assert set(draws(model, 60)) == set(model.seconds)
    assert model.spec() == {"model": "trace", "recording": str(path), "mode": mode}


def lines(*rows):
    return "\n".join(['{"chunkenv_trace": 1, "control_dt": 0.02}', *(json.dumps(row._asdict()) for row in rows)])


BAD_TRACES = [
    (lines(ROWS[0]), "exact", {}, "has no delay to replay, only first chunks"),
    (lines(TraceRow(0, 0, None, 2)), "replay", {}, "has no latency in seconds: no inference came to its end"),
    (lines(ROWS[1]) + "\n{", "exact", {}, "is damaged in line 3"),
    (lines(ROWS[1]) + "\n{", "replay", {}, "is damaged in line 3"),
    ("0.1\n0.2\n", "exact", {}, "is damaged in line 1: '0.1' is no JSON object"),
    (lines(*ROWS), "exact", {"first_episode": -1}, "first_episode=-1 is too small"),
    (lines(*ROWS), "exact", {"first_episode": 1.5}, "first_episode=1.5 is not a whole number"),
    (lines(*ROWS), "replay", {"first_episode": 1}, "first_episode=1 belongs to mode='exact'; leave it out"),
    (lines(*ROWS), "replay", {"first_episode": None}, "first_episode=None belongs to mode='exact'"),
]


@pytest.mark.parametrize(("text", "mode", "arguments", "sentence"), BAD_TRACES)
def test_bad_trace(tmp_path, text, mode, arguments, sentence):
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(ArgumentError, match=sentence):
        Trace(tmp_path / "a.jsonl", mode=mode, **arguments)


@pytest.mark.parametrize("recording", [[0.1, 0.2], np.array([0.1]), None, NAN, INF])
def test_only_files_are_replayed_exactly(recording):
    with pytest.raises(ArgumentError, match="has no delays in ticks to replay exactly; give the path of a file"):
        Trace(recording, mode="exact")


class Still:
    """Does nothing, for one environment or many."""

    def infer(self, observation, request):
        return np.zeros((8, 1), np.float32)

    def infer_batch(self, observations, request):
        return np.zeros((len(request.tick), 8, 1), np.float32)


@pytest.fixture
def recording(tmp_path):
    """Twelve episodes of Pendulum: the first free chunk, then delays that tell the episode."""
    rows = []
    for episode in range(12):
        rows += [TraceRow(episode, 0, 0.05, None)]
        rows += [TraceRow(episode, 4 * turn, 0.1, (episode + turn) % 4) for turn in range(1, 5)]
    write_trace(tmp_path / "a.jsonl", rows, control_dt=0.05)
    return Trace(tmp_path / "a.jsonl", mode="exact")


def test_an_evaluation_replays_its_episodes_single_and_vector(recording):
    chunked = {"prediction_horizon": 8, "execution_horizon": 4, "latency": recording, "info": "actions"}
    single = evaluate(
        lambda: ChunkedExecution(gym.make("Pendulum-v1", max_episode_steps=20), **chunked), Still(), episodes=12, seed=0
    )
    expected = [[0, *((episode + turn) % 4 for turn in range(1, 5))] for episode in range(12)]
    assert [row["charged_latency"] for row in single] == pytest.approx([np.mean(each) * 0.05 for each in expected])

    def make_envs(slots):
        worlds = gym.make_vec(
            "Pendulum-v1",
            slots,
            "sync",
            vector_kwargs={"autoreset_mode": gym.vector.AutoresetMode.DISABLED},
            max_episode_steps=20,
        )
        return ChunkedVectorExecution(worlds, **chunked)

    assert evaluate_batch(make_envs, Still(), episodes=12, seed=0, slots=5) == single
