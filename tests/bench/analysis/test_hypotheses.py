import numpy as np
import pytest

from chunkenv.bench.analysis.hypotheses import Hypothesis, check_hypotheses
from chunkenv.bench.analysis.intervals import wilson
from chunkenv.bench.analysis.rtc_findings import EQUAL, at, rtc_hypotheses
from chunkenv.bench.analysis.solve_rates import Setting, Solved
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Cell, Study
from chunkenv.evaluate import episode_seed

EPISODES = 40
RATES = {"good": (1.0, 0.9), "bad": (1.0, 0.2)}
"""Of each method, the share of episodes solved at delay 0 and at delay 4."""


def play(cell, episodes, seed):
    share = RATES[cell.method][cell.delay // 4]
    basic = {"ticks": 5, "return": 1.0, "underruns": 0, "decisions": 1}
    return [{"seed": episode_seed(seed, number), "success": number < share * EPISODES, **basic} for number in episodes]


def made_up(tmp_path):
    cells = tuple(Cell(t, m, d, max(1, d), 8) for t in ("left", "right") for m in RATES for d in (0, 4))
    study = Study("made up", cells, play=play, episodes=EPISODES, seed=0, batch=EPISODES)
    with Store(tmp_path / "made_up.sqlite", Cell) as store:
        store.begin(study)
        for block in study.blocks:
            store.keep(block, play(block.cell, block.episodes, 0))
        return study, Solved(study, store)


def test_rates_count_all_tasks_or_one(tmp_path):
    _, solved = made_up(tmp_path)
    assert solved.tasks == ["left", "right"]
    assert solved.rate(at("good", 4)) == wilson(72, 80)
    assert solved.rate(at("bad", 4), "left") == wilson(8, 40)


def test_contrasts_are_paired(tmp_path):
    _, solved = made_up(tmp_path)
    difference = solved.contrast([at("good", 4)], [at("bad", 4)])
    assert difference.estimate == pytest.approx(0.7)
    assert 0.6 < difference.low < 0.7 < difference.high < 0.8
    both = solved.contrast([at("good", 4), at("bad", 0)], [at("good", 0), at("bad", 4)])
    assert both.estimate == pytest.approx(-0.1 + 0.8)
    nothing = solved.contrast([at("good", 0)], [at("bad", 0)])
    assert nothing == pytest.approx((0, -0.0458, 0.0458), abs=1e-4)  # Wilson's of 0 in 80 pairs


def test_a_smaller_run_counts_its_own_episodes_only(tmp_path):
    study, _ = made_up(tmp_path)
    fewer = Study("made up", study.cells, play=play, episodes=20, seed=0)
    with Store(tmp_path / "made_up.sqlite", Cell) as store:
        assert Solved(fewer, store).rate(at("bad", 4)) == wilson(16, 40)


def test_verdicts(tmp_path):
    _, solved = made_up(tmp_path)
    good, bad, even = at("good", 4), at("bad", 4), at("good", 0)
    hypotheses = [
        Hypothesis("true", (good,), (bad,)),
        Hypothesis("false", (bad,), (good,)),
        Hypothesis("no difference", (even,), (at("bad", 0),)),
        Hypothesis("no worse", (even,), (at("bad", 0),), margin=0.05),
        Hypothesis("hardly worse", (even,), (at("bad", 0),), margin=0.02),
        Hypothesis("never played", (Setting("nobody", 4, 4),), (good,)),
    ]
    found = {finding.hypothesis.text: finding.verdict for finding in check_hypotheses(hypotheses, solved)}
    undecided = dict.fromkeys(["no difference", "hardly worse"], "undecided")
    assert found == {"true": "confirmed", "false": "refuted", "no worse": "confirmed", **undecided}


def test_episodes_that_are_not_known_or_not_played_do_not_count(tmp_path):
    study, _ = made_up(tmp_path)
    more = Study("made up", study.cells, play=play, episodes=2 * EPISODES, seed=0, batch=EPISODES)
    with Store(tmp_path / "made_up.sqlite", Cell) as store:
        assert Solved(more, store).rate(at("bad", 4)) == wilson(16, 80)
        block = more.blocks[-1]
        store.keep(block, [row | {"success": None} for row in play(block.cell, block.episodes, 0)])
        solved = Solved(more, store)
    assert solved.known(at("bad", 4)) == 80
    assert solved.contrast([at("good", 4)], [at("bad", 4)]).estimate == pytest.approx(0.7)


def test_the_papers_claims():
    hypotheses = {hypothesis.text: hypothesis for hypothesis in rtc_hypotheses((0, 1, 2, 3, 4), ("naive", "rtc"))}
    assert hypotheses["rtc solves more than naive at d = 4"] == Hypothesis(
        "rtc solves more than naive at d = 4", (Setting("rtc", 4, 4),), (Setting("naive", 4, 4),)
    )
    assert hypotheses["naive falls from d = 0 to d = 4"].plus == (Setting("naive", 0, 1),)
    assert hypotheses["training-time-rtc is at least equal to rtc at d = 2"].margin == EQUAL
    assert "training-time-rtc is at least equal to rtc at d = 1" not in hypotheses
    falls = hypotheses["rtc falls less than bid from d = 0 to d = 4"]
    assert np.array_equal(sorted(falls.plus), sorted([at("rtc", 4), at("bid", 0)]))
    assert np.array_equal(sorted(falls.minus), sorted([at("rtc", 0), at("bid", 4)]))
