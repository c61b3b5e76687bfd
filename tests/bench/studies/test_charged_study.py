import pickle

import numpy as np
import pytest

from chunkenv.bench.run.block_player import play_block
from chunkenv.bench.studies import charged_study as charged
from chunkenv.bench.studies import methods
from chunkenv.errors import ArgumentError
from tests.strategies.policies import Prefixed

TRACES = {"naive": [0.001] * 4, "rtc": [0.003, 0.005], "synchronous": [0.001], "bid": [0.01]}


def test_slowdowns_are_where_naive_takes_so_many_ticks():
    slowdowns = charged.usual_slowdowns(TRACES)
    np.testing.assert_allclose(np.array(slowdowns) * 0.001 * 30, charged.DELAYS_OF_FASTEST, rtol=0.05)


def test_cells_are_every_combination_and_the_traces_are_settings():
    study = charged.charged_study(TRACES, ["catapult"], ["naive", "rtc"], [1.0, 50.0], episodes=2)
    assert len(study.cells) == 4
    assert study.settings["traces"] == {"naive": (0.001,) * 4, "rtc": (0.003, 0.005)}
    assert pickle.loads(pickle.dumps(study)).cells == study.cells


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(methods=["ensembling"]), "no trace of the method 'ensembling'; record"),
        (dict(slowdowns=[0.0]), r"slowdown=0.0 is not above 0"),
        (dict(tasks=["catapul"]), "catapult"),
    ],
)
def test_settings_that_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        charged.charged_study(**{"traces": TRACES, "methods": ["naive"], **arguments})


@pytest.mark.parametrize("method", ["naive", "rtc", "synchronous"])
def test_each_method_pays_for_itself(method, monkeypatch):
    """At 40 times as slow, naive takes 2 ticks (0.04 s), rtc 4 and 6 (0.12 and 0.2 s)."""
    monkeypatch.setattr(methods, "flow_policy", lambda task, kind, policies="smooth": Prefixed(action_size=6))
    study = charged.charged_study(TRACES, ["cartpole_thrust"], [method], [40.0], episodes=3)
    (block,) = study.blocks
    rows = play_block(study, block)
    for row in rows:
        late = row["decisions"] - 1  # the first chunk is free
        charge = row["charged_latency"] * 30 * row["decisions"] / late
        assert (4 <= charge <= 6) if method == "rtc" else charge == pytest.approx(2)
        assert (row["underruns"] > 0) == (method != "naive")
    assert study.play(block.cell, (2,), 0) == [rows[2]]


def test_latencies_are_measured(monkeypatch):
    monkeypatch.setattr(charged, "flow_policy", lambda task, kind, policies="smooth": Prefixed(action_size=6))
    traces = charged.record(["naive", "rtc"], "cartpole_thrust", repeats=20)
    assert [len(trace) for trace in traces.values()] == [20, 20]
    assert np.median(traces["rtc"]) > np.median(traces["naive"]) > 0
