import pickle

import numpy as np
import pytest

from chunkenv.bench.run.block_player import play_block
from chunkenv.bench.studies import charged_study as charged
from chunkenv.bench.studies import methods
from chunkenv.errors import ArgumentError
from tests.strategies.policies import Prefixed

TRACES = {"naive": [0.001] * 4, "rtc": [0.003, 0.005], "synchronous": [0.001], "bid": [0.01]}
SIZED = {0.4: TRACES, 30.0: {"naive": [0.05], "rtc": [0.1], "synchronous": [0.05], "bid": [0.06]}}


def test_slowdowns_are_where_naive_takes_so_many_ticks():
    as_measured, *slowdowns = charged.usual_slowdowns(TRACES)
    assert as_measured == 1
    np.testing.assert_allclose(np.array(slowdowns) * 0.001 * 30, charged.DELAYS_OF_FASTEST, rtol=0.05)


def test_cells_are_every_combination_and_the_traces_are_settings():
    study = charged.charged_study(SIZED, ["catapult"], ["naive", "rtc"], [1.0, 50.0], episodes=2)
    assert len(study.cells) == 8
    assert study.settings["traces"]["0.4"] == {"naive": (0.001,) * 4, "rtc": (0.003, 0.005)}
    assert study.settings["traces"]["30"] == {"naive": (0.05,), "rtc": (0.1,)}
    assert pickle.loads(pickle.dumps(study)).cells == study.cells


def test_each_size_has_its_own_slowdowns():
    study = charged.charged_study(SIZED, ["catapult"], ["naive"])
    large = sorted(cell.slowdown for cell in study.cells if cell.size == 30)
    assert 1.0 in large
    assert max(large) == pytest.approx(4 / 30 / 0.05, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(methods=["ensembling"]), "no trace of the method 'ensembling' with 0.4 million parameters; record"),
        (dict(slowdowns=[0.0]), r"slowdown=0.0 is not above 0"),
        (dict(tasks=["catapul"]), "catapult"),
    ],
)
def test_settings_that_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        charged.charged_study(**{"traces": SIZED, "methods": ["naive"], **arguments})


def test_slow_policies_are_asked_less_often_which_costs_less():
    """As measured naive takes a tick (0.001 s), at 100 times as slow 3 (0.1 s)."""
    cost = charged.charged_study({0.4: TRACES}, ["catapult"], ["naive", "rtc"], [1.0, 100.0]).cost
    fast, slow = (cost(charged.ChargedCell("catapult", "naive", 0.4, slowdown)) for slowdown in (1.0, 100.0))
    assert fast - slow == pytest.approx(1 - 1 / 3)
    assert cost(charged.ChargedCell("catapult", "rtc", 0.4, 1.0)) > fast


@pytest.mark.parametrize("method", ["naive", "rtc", "synchronous"])
def test_each_method_pays_for_itself(method, monkeypatch):
    """At 40 times as slow, naive takes 2 ticks (0.04 s), rtc 4 and 6 (0.12 and 0.2 s)."""
    monkeypatch.setattr(methods, "flow_policy", lambda task, kind, policies="smooth": Prefixed(action_size=6))
    study = charged.charged_study({0.4: TRACES}, ["cartpole_thrust"], [method], [40.0], episodes=3)
    (block,) = study.blocks
    rows = play_block(study, block)
    for row in rows:
        late = row["decisions"] - 1  # the first chunk is free
        charge = row["charged_latency"] * 30 * row["decisions"] / late
        assert (4 <= charge <= 6) if method == "rtc" else charge == pytest.approx(2)
        assert (row["underruns"] > 0) == (method != "naive")
    assert study.play(block.cell, (2,), 0) == [rows[2]]
