"""The rows of decisions: what each was asked, what it took, and that they add up to the rows of episodes."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ChunkedExecution, ChunkedVectorExecution, evaluate, evaluate_batch
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import DECISION
from chunkenv.latency import Uniform
from tests.evaluate.test_batch import Alone, Drifting
from tests.evaluate.test_single import Constant, Walk, make_env

CHUNKS = dict(prediction_horizon=8, execution_horizon=3, latency=Uniform(0.0, 0.3), control_dt=0.05)


def make_walk():
    return ChunkedExecution(Walk(), **CHUNKS)


def make_walks(slots):
    inner = SyncVectorEnv([Walk] * slots, autoreset_mode=AutoresetMode.DISABLED)
    return ChunkedVectorExecution(inner, **CHUNKS)


def without_times(rows):
    timed = {name for name, column in DECISION.items() if column.timed}
    return [{name: value for name, value in row.items() if name not in timed} for row in rows]


def test_a_row_says_what_happened():
    decisions = []
    evaluate(make_env(delay=1), Constant(0.0), 1, seed=0, decisions=decisions)
    assert list(decisions[0]) == ["episode", *DECISION]
    assert without_times(decisions) == [
        {
            "episode": 0,
            "decision": index,
            "tick": 2 * index,
            "delay": min(index, 1),  # the first is free
            "horizon": 2,
            "ticks": 2,
            "underruns": 0,
            "evaluations": None,
        }
        for index in range(10)
    ]
    assert all(type(row["seconds"]) is float and 0 < row["seconds"] < 1 for row in decisions)
    assert {name for name, column in DECISION.items() if column.timed} == {"seconds"}


def test_rows_of_episodes_do_not_depend_on_those_of_decisions():
    decisions = []
    rows = evaluate(make_walk, Alone(1), 3, seed=2, decisions=decisions)
    assert rows == evaluate(make_walk, Alone(1), 3, seed=2)
    again = []
    evaluate(make_walk, Alone(1), 3, seed=2, decisions=again)
    assert without_times(again) == without_times(decisions)


def test_rows_are_added_to_those_that_are_there():
    decisions = [{"mine": 1}]
    (row,) = evaluate(make_walk, Alone(1), 1, seed=0, decisions=decisions)
    assert decisions[0] == {"mine": 1}
    assert len(decisions) == 1 + row["decisions"]


def test_they_add_up_to_the_rows_of_episodes():
    decisions = []
    rows = evaluate(make_walk, Alone(1), 5, seed=0, decisions=decisions)
    for episode, row in enumerate(rows):
        own = [each for each in decisions if each["episode"] == episode]
        assert [each["decision"] for each in own] == list(range(row["decisions"]))
        assert sum(each["ticks"] for each in own) == row["ticks"]
        assert sum(each["underruns"] for each in own) == row["underruns"]
        assert sum(each["evaluations"] for each in own) == row["denoiser_evaluations"] == 5 * row["decisions"]
        assert [each["tick"] for each in own] == [0, *itertools.accumulate(each["ticks"] for each in own)][:-1]
    assert sum(row["underruns"] for row in rows) > 0
    assert len({each["delay"] for each in decisions}) > 2


@pytest.mark.parametrize("slots", [1, 3, 8])
def test_a_batch_has_the_same_rows_in_the_order_of_the_episodes(slots):
    single, batch = [], []
    evaluate(make_walk, Alone(1), 6, seed=1, decisions=single)
    evaluate_batch(make_walks, Drifting(1), 6, seed=1, slots=slots, decisions=batch)
    assert without_times(batch) == without_times(single)


def test_numbered_episodes_keep_their_numbers():
    decisions = []
    evaluate_batch(make_walks, Drifting(1), (4, 2), seed=1, slots=2, decisions=decisions)
    assert [number for number, _ in itertools.groupby(row["episode"] for row in decisions)] == [4, 2]


class Clock:
    """Time that moves when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Slow(Constant):
    """An inference takes a second more than the one before; resets and steps take time, too."""

    def __init__(self, clock):
        super().__init__(0.0)
        self.clock, self.count = clock, 0

    def reset(self):
        self.clock.now += 50.0

    def infer(self, observation, request):
        self.count += 1
        self.clock.now += self.count
        return self.chunk

    def infer_batch(self, observations, request):
        return np.stack([self.infer(observation, request) for observation in observations])


class SlowWalk(Walk):
    clock: Clock

    def step(self, action):
        self.clock.now += 7.0
        return super().step(action)


def test_the_seconds_are_those_of_the_inference_alone(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(SlowWalk, "clock", clock, raising=False)
    monkeypatch.setattr("time.perf_counter", clock)
    decisions = []
    evaluate(make_env(env=SlowWalk), Slow(clock), 2, seed=0, decisions=decisions)
    assert [row["seconds"] for row in decisions] == list(range(1, 21))


def test_each_decision_of_a_batch_has_the_seconds_of_all(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("time.perf_counter", clock)
    decisions = []

    def make_envs(slots):
        inner = SyncVectorEnv([Walk] * slots, autoreset_mode=AutoresetMode.DISABLED)
        return ChunkedVectorExecution(inner, 4, 2, latency=1)

    evaluate_batch(make_envs, Slow(clock), 2, seed=0, slots=2, decisions=decisions)
    assert [row["seconds"] for row in decisions] == [3 + 4 * index for index in range(10)] * 2


class Price(NamedTuple):
    evaluations: int


class Thrifty(Constant):
    """Costs more where it was asked later in the episode: what counts is the cost after each inference."""

    def __init__(self):
        super().__init__(0.0, rows=8)
        self.cost = Price(1)
        self.costs = [self.cost]

    def infer(self, observation, request):
        self.cost = Price(int(request.tick) + 2)
        return self.chunk

    def infer_batch(self, observations, request):
        self.costs = [Price(int(tick) + 2) for tick in request.tick]
        return np.stack([self.chunk] * len(request.tick))


def test_a_cost_that_differs_by_decision_is_read_after_each():
    single, batch = [], []
    rows = evaluate(make_walk, Thrifty(), 5, seed=0, decisions=single)
    assert all(row["evaluations"] == row["tick"] + 2 for row in single)
    for episode, row in enumerate(rows):
        spent = [each["evaluations"] for each in single if each["episode"] == episode]
        assert row["denoiser_evaluations"] == sum(spent)
    assert evaluate_batch(make_walks, Thrifty(), 5, seed=0, slots=2, decisions=batch) == rows
    assert without_times(batch) == without_times(single)


def test_costs_of_another_number_than_the_rows():
    class Stingy(Thrifty):
        def infer_batch(self, observations, request):
            chunks = super().infer_batch(observations, request)
            self.costs = self.costs[:1]
            return chunks

    with pytest.raises(ArgumentError, match=r"Stingy\.costs has 1 after a batch of 2 rows; give a Cost for each row"):
        evaluate_batch(make_walks, Stingy(), 2, seed=0, slots=2)
