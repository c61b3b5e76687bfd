import time

import numpy as np
import pytest

from chunkenv.bench.studies import measured_latency as measured
from chunkenv.bench.studies.methods import METHODS, Method
from chunkenv.strategies import Naive
from tests.strategies.policies import Prefixed

LEVEL = "cartpole_thrust"


def slow(observation, row, row_index, tick, rng):
    time.sleep(0.002)
    return np.zeros_like(row)


@pytest.fixture(autouse=True)
def small_policy(monkeypatch):
    monkeypatch.setattr(measured, "flow_policy", lambda task, kind, policies="smooth": Prefixed(action_size=6))
    chunks = lambda task, policies, delay, horizon: {"correction": slow}
    monkeypatch.setitem(METHODS, "corrected", Method("plain", Naive, chunks=chunks))


def test_inferences_are_measured_in_turns():
    traces = measured.record(["naive", "rtc"], task=LEVEL, repeats=40)
    assert [len(trace) for trace in traces.values()] == [40, 40]
    assert np.median(traces["rtc"]) > np.median(traces["naive"]) > 0


def test_slow_ones_are_measured_less_often(monkeypatch):
    monkeypatch.setattr(measured, "SECONDS", 1e-9)
    monkeypatch.setattr(measured, "FEWEST", 21)
    (trace,) = measured.record(["naive"], task=LEVEL).values()
    assert len(trace) == 21


def test_corrections_are_measured_of_those_that_correct():
    found = measured.record_corrections(["naive", "corrected"], task=LEVEL, chunks=5)
    assert list(found) == ["corrected"]
    assert len(found["corrected"]) >= 4
    assert min(found["corrected"]) >= 0.002


def test_networks_are_shared_by_the_methods_of_a_kind(monkeypatch):
    made = []
    monkeypatch.setattr(
        measured, "resized", lambda policy, parameters: made.append(parameters) or policy, raising=False
    )
    monkeypatch.setattr("chunkenv.agents.policies.resized_policy.resized", lambda policy, count: made.append(count))
    policies = measured.sized_policies(["naive", "rtc", "training-time-rtc"], 3.0)
    assert list(policies) == ["plain", "prefix"]
    assert made == [3_000_000, 3_000_000]
