import time

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution, evaluate
from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError, PolicyFault
from chunkenv.latency import Measured, Trace, write_trace
from chunkenv.remote.measuring import Question, measure, measure_together
from tests.remote.servers import REQUEST

DT = 0.05


class Slow:
    """Takes as long as it is told, in turns."""

    def __init__(self, *seconds):
        self.seconds = seconds
        self.count = 0
        self.resets = 0

    def infer(self, observation, request):
        time.sleep(self.seconds[self.count % len(self.seconds)])
        self.count += 1
        return np.full((8, 1), np.sign(observation[2]), np.float32)

    def reset(self):
        self.resets += 1


def make_env(latency, episode=30):
    world = gym.make("Pendulum-v1", max_episode_steps=episode)
    return ChunkedExecution(world, 8, 4, latency, delay_estimate="max", info="actions", control_dt=DT)


def test_every_inference_has_a_row_with_its_tick_and_what_it_was_charged():
    policy = Slow(0.01, 0.06)
    found = measure(make_env(Measured()), policy, inferences=12, seed=0, warm_up=2)
    assert policy.count == 14
    assert policy.resets == 2
    assert {row.episode for row in found.rows} == {0, 1}
    assert all(row.latency_s >= (0.01, 0.06)[number % 2] for number, row in enumerate(found.rows))
    charged = [None if row.request_tick == 0 else ticks(row.latency_s, DT) for row in found.rows]
    assert [row.delay_ticks for row in found.rows] == charged
    assert max(filter(None, charged)) >= 2
    assert len(found.questions) == 12
    assert found.questions[1].request.tick == found.rows[1].request_tick


def test_the_recording_is_replayed_to_the_tick(tmp_path):
    found = measure(make_env(Measured()), Slow(0.01, 0.06, 0.11), inferences=24, seed=5)
    episodes = found.rows[-1].episode
    path = tmp_path / "trace.jsonl"
    write_trace(path, found.rows, DT)
    decisions = []
    rows = evaluate(lambda: make_env(Trace(str(path), mode="exact")), Slow(0.0), episodes, seed=5, decisions=decisions)
    assert len(rows) == episodes
    replayed = [(row["episode"], row["tick"], row["delay"] if row["tick"] else None) for row in decisions]
    recorded = [(row.episode, row.request_tick, row.delay_ticks) for row in found.rows if row.episode < episodes]
    assert replayed == recorded


@pytest.mark.parametrize("numbers", [{"inferences": 0}, {"inferences": 2, "warm_up": -1}])
def test_invalid_numbers_are_one_sentence(numbers):
    with pytest.raises(ArgumentError, match="is too small"):
        measure(make_env(Measured()), Slow(0.0), seed=0, **numbers)


QUESTIONS = [Question(np.array([1.0, 0.0, value]), REQUEST) for value in (-1.0, 1.0)]


def test_so_many_are_under_way_all_the_time():
    under_way = []

    class Watched:
        def infer(self, observation, request):
            under_way.append(1)
            time.sleep(0.05)
            assert len(under_way) <= 3
            seen.append(len(under_way))
            under_way.pop()

    seen = []
    rows = measure_together(Watched(), QUESTIONS, 3, 10, DT)
    assert max(seen) == 3
    assert [sum(row.episode == place for row in rows) for place in range(3)] == [4, 4, 4]
    assert all(row.delay_ticks == ticks(row.latency_s, DT) >= 1 for row in rows)


def test_the_recording_of_fast_answers_can_be_written(tmp_path):
    rows = measure_together(Slow(0.0), QUESTIONS, 2, 20, DT)
    write_trace(tmp_path / "trace.jsonl", rows, DT)
    assert len(Trace(str(tmp_path / "trace.jsonl")).seconds) == 20


def test_a_fault_of_one_is_raised_when_the_others_have_ended():
    class Faulty:
        def infer(self, observation, request):
            if observation[2] > 0:
                raise PolicyFault("no answer", request.tick)

    with pytest.raises(PolicyFault, match="no answer"):
        measure_together(Faulty(), QUESTIONS, 2, 4, DT)
