import pytest

from chunkenv.bench.analysis.planned_delays import LateSetting, compare_plans
from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.studies.latency_study import LatencyCell
from chunkenv.bench.study import Study
from chunkenv.evaluate import episode_seed

EPISODES = 40
RATES = {
    ("careful", "bursty", "expected"): 0.5,
    ("careful", "bursty", "largest"): 0.9,
    ("careful", "uniform", "expected"): 0.6,
    ("careful", "uniform", "largest"): 0.8,
    ("bold", "bursty", "expected"): 0.9,
    ("bold", "bursty", "largest"): 0.2,
    ("bold", "uniform", "expected"): 0.9,
    ("bold", "uniform", "largest"): 0.9,
    ("idle", "bursty", "expected"): 0.5,
    ("idle", "bursty", "largest"): 0.5,
    ("idle", "uniform", "expected"): 0.5,
    ("idle", "uniform", "largest"): 0.5,
    ("careful", "constant", "expected"): 1.0,
    ("bold", "constant", "expected"): 1.0,
    ("idle", "constant", "expected"): 1.0,
}


def play(cell, episodes, seed):
    share = RATES[cell.method, cell.latency, cell.plans_with]
    basic = {"ticks": 5, "return": 1.0, "underruns": 0, "decisions": 1}
    return [{"seed": episode_seed(seed, number), "success": number < share * EPISODES, **basic} for number in episodes]


def made_up(tmp_path, mean_delays=(1, 2)):
    """The rates above, on two tasks."""
    cells = [
        LatencyCell(task, method, latency, delay, plan)
        for task in ("left", "right")
        for method, latency, plan in RATES
        for delay in mean_delays
    ]
    study = Study("made up", tuple(cells), play=play, episodes=EPISODES, seed=0, batch=EPISODES)
    with Store(tmp_path / "made_up.sqlite", LatencyCell) as store:
        store.begin(study)
        for block in study.blocks:
            store.keep(block, play(block.cell, block.episodes, 0))
        return Solved(
            study, store, lambda cell: LateSetting(cell.method, cell.latency, cell.mean_delay, cell.plans_with)
        )


def test_differences_are_means_over_latencies_and_mean_delays(tmp_path):
    careful, bold, idle = compare_plans(made_up(tmp_path))
    assert [each.method for each in (careful, bold, idle)] == ["careful", "bold", "idle"]
    assert careful.by_latency["bursty"].estimate == pytest.approx(0.4)
    assert careful.by_latency["uniform"].estimate == pytest.approx(0.2)
    assert careful.overall.estimate == pytest.approx(0.3)
    assert bold.overall.estimate == pytest.approx(-0.35)
    assert "constant" not in careful.by_latency


def test_who_plans_with_what_is_said_where_the_interval_says_so(tmp_path):
    found = compare_plans(made_up(tmp_path))
    assert {each.method: each.better for each in found} == {"careful": "largest", "bold": "expected", "idle": "either"}
    low, high = found[0].overall[1:]
    assert 0.2 < low < 0.3 < high < 0.4


def test_more_settings_say_more(tmp_path):
    """The mean of two paired differences has an interval that does not grow with their number."""
    (tmp_path / "one").mkdir()
    one, two = (compare_plans(made_up(folder, delays))[0].overall for folder, delays in
                ((tmp_path / "one", (1,)), (tmp_path, (1, 2))))  # fmt: skip
    assert two.high - two.low <= one.high - one.low + 1e-9
