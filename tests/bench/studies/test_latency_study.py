import pickle

import pytest

from chunkenv.bench.run.block_player import play_block
from chunkenv.bench.studies import latency_study as late
from chunkenv.bench.studies import methods
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import episode_seed
from chunkenv.latency import LogNormal
from tests.strategies.policies import Prefixed

RECORDINGS = {"recorded": [0.01, 0.02, 0.05], "measured": [0.001, 0.002]}


@pytest.fixture
def small_policy(monkeypatch):
    monkeypatch.setattr(methods, "flow_policy", lambda task, kind, policies="smooth": Prefixed(action_size=6))


def test_each_latency_is_planned_for_twice_but_a_constant_one():
    study = late.latency_study(RECORDINGS, ["catapult"], ["naive", "rtc"], mean_delays=[2])
    settings = [(cell.latency, cell.plans_with) for cell in study.cells if cell.method == "rtc"]
    others = ("uniform", "lognormal", "bursty", "recorded", "measured")
    both = [(latency, plan) for latency in others for plan in late.PLANS]
    assert settings == [("constant", "expected"), *both]
    assert study.settings["recordings"] == {name: tuple(seconds) for name, seconds in RECORDINGS.items()}
    assert pickle.loads(pickle.dumps(study)).cells == study.cells
    assert str(study.cells[1]) == "catapult, naive, uniform latency of 2 ticks, planned with the expected"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(latencies=["brusty"]), "did you mean 'bursty'"),
        (dict(latencies=["measured"], recordings={}), "no recording for latency='measured'; give one"),
        (dict(mean_delays=[0]), "mean_delay=0 is too small"),
        (dict(methods=["rct"]), "rtc"),
        (dict(tasks=["catapul"]), "catapult"),
        (dict(policies="nowhere"), "policies='nowhere' is neither"),
        (dict(mean_delays=[2, 2]), "names a cell twice"),
    ],
)
def test_settings_that_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        late.latency_study(**{"recordings": RECORDINGS, "tasks": ["catapult"], "methods": ["rtc"], **arguments})


def test_requests_expect_and_wait_for_what_is_planned(monkeypatch):
    """Uniform delays of 1 to 5 ticks: 3 are expected; 5 are the largest, of which half a chunk, 4, is planned for."""
    seen = {}
    monkeypatch.setattr(late, "play_method", lambda *given, **chunks: seen.update(delay=given[-1], **chunks))
    for plan, estimate, delay in (("expected", "mean", 3), ("largest", "max", 4)):
        late.play("smooth", {}, late.LatencyCell("catapult", "rtc", "uniform", 3, plan), (0,), 0)
        assert (seen["delay_estimate"], seen["execution_horizon"], seen["delay"]) == (estimate, delay, delay)


@pytest.mark.usefixtures("small_policy")
@pytest.mark.parametrize("latency", ["constant", "bursty", "recorded"])
def test_a_block_is_played(latency):
    study = late.latency_study(RECORDINGS, ["cartpole_thrust"], ["rtc"], [latency], [2], episodes=3)
    block = study.blocks[0]
    rows = play_block(study, block)
    assert [row["seed"] for row in rows] == [episode_seed(0, number) for number in range(3)]
    assert study.play(block.cell, (1,), 0) == [rows[1]]
    assert all(row["charged_latency"] > 0 for row in rows)


@pytest.mark.usefixtures("small_policy")
def test_inferences_take_as_long_for_every_method_and_plan(monkeypatch):
    draw, drawn = LogNormal.draw, []

    def noted(self, rng, state):
        seconds, state = draw(self, rng, state)
        drawn[-1].append(seconds)
        return seconds, state

    late.planned("lognormal", 2, ())  # draws, too, and is remembered
    monkeypatch.setattr(LogNormal, "draw", noted)
    for method, plan in (("naive", "expected"), ("rtc", "expected"), ("rtc", "largest"), ("synchronous", "largest")):
        drawn.append([])
        late.play("smooth", {}, late.LatencyCell("cartpole_thrust", method, "lognormal", 2, plan), (5,), 0)
    shortest = min(map(len, drawn))
    assert shortest > 3
    assert all(each[:shortest] == drawn[0][:shortest] for each in drawn)
