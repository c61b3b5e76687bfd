import pytest

from chunkenv.agents.sampling_planner import Planner
from chunkenv.bench.run.runner import run_study
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.studies import delay_study as settings
from chunkenv.bench.studies.delay_study import delay_study, make_env, make_policy
from chunkenv.bench.study import Cell
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import evaluate
from chunkenv.kinetix import LEVELS

BAD = {
    "an unknown task": ({"tasks": ["catapullt"]}, "There is no Kinetix level 'catapullt': did you mean 'catapult'"),
    "a task far from all": ({"tasks": ["zzz"]}, "There is no Kinetix level 'zzz': choose one of 'grasp_easy'"),
    "an unknown method": ({"methods": ["navie"]}, "method='navie' is unknown; did you mean 'naive'"),
    "no tasks": ({"tasks": []}, "has no cells"),
    "no delays": ({"delays": []}, "has no cells"),
    "a task twice": ({"tasks": ["catapult", "catapult"]}, "names a cell twice"),
    "a negative delay": ({"delays": [0, -1]}, "delay=-1 is too small"),
    "a fractional delay": ({"delays": [0.5]}, "delay=0.5 is not a whole number"),
    "delay > s": ({"delays": [3], "execution_horizons": [2]}, "delay=3 with execution_horizon=2 and"),
    "s > H - delay": ({"delays": [5]}, "choose delay <= execution_horizon <= prediction_horizon - delay"),
    "s > H": ({"execution_horizons": [9], "delays": [0]}, "execution_horizon=9 and prediction_horizon=8 leaves"),
    "s = 0": ({"execution_horizons": [0], "delays": [0]}, "execution_horizon=0 is too small"),
    "H = 0": ({"prediction_horizon": 0}, "prediction_horizon=0 is too small"),
    "no episodes": ({"episodes": 0}, "episodes=0 is too small"),
    "a negative seed": ({"seed": -3}, "seed=-3 is too small"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings(case):
    changes, sentence = BAD[case]
    with pytest.raises(ArgumentError, match=sentence):
        delay_study(**changes)


def test_all_24_schedules_of_the_protocol_are_settings():
    pairs = {
        (cell.delay, cell.execution_horizon)
        for delay in range(5)
        for cell in delay_study(delays=[delay], execution_horizons=range(max(1, delay), 9 - delay)).cells
    }
    assert len(pairs) == 24


def test_the_default_is_every_task_with_both_methods_and_five_delays():
    assert len(delay_study().cells) == len(LEVELS) * 2 * 5
    assert delay_study().cells[0] == Cell("grasp_easy", "prefix-aware", 0, 4, 8)


def test_every_task_has_a_cost():
    assert settings.COSTS.keys() == set(LEVELS)


def test_a_cells_environment_is_its_task_noisy_and_late():
    env = make_env(Cell("catapult", "naive", 3, 4, 8))
    env.reset(seed=0)
    assert (env.prediction_horizon, env.execution_horizon, env.request.delay_estimate) == (8, 4, 0)
    assert env.unwrapped.spec.id == "chunkenv/kinetix-catapult-v0"
    assert env.observation_space.dtype == "uint8"
    noise, _ = env.spec.additional_wrappers
    assert (noise.name, noise.kwargs["std"]) == ("ActionNoise", 0.1)


def test_methods_differ_in_the_prefix_only():
    aware, naive = (make_policy(Cell("catapult", method, 3, 4, 8)) for method in settings.METHODS)
    assert isinstance(aware, Planner)
    assert (aware.prefix_aware, naive.prefix_aware) == (True, False)
    assert aware.settings == naive.settings


def test_without_delay_both_methods_have_the_same_rows():
    rows = [
        evaluate(lambda cell=cell: make_env(cell), make_policy(cell), episodes=1, seed=0)
        for cell in delay_study(tasks=["grasp_easy"], delays=[0]).cells
    ]
    assert rows[0] == rows[1]
    (row,) = rows[0]
    assert row["mean_staleness"] == pytest.approx(1.5, abs=0.1)  # chunks of four ticks, begun at once
    assert row["boundary_jump"] > 0
    assert row["charged_latency"] == 0


@pytest.mark.slow
def test_real_planners_give_the_same_rows_with_one_worker_and_two(tmp_path):
    study = delay_study(tasks=["grasp_easy", "cartpole_thrust"], delays=[0, 3], episodes=2)
    found = []
    for workers in (1, 2):
        with Store(tmp_path / f"{workers}.sqlite") as store:
            list(run_study(study, store, workers))
            found.append(store.rows())
    assert found[0] == found[1]
    assert len(found[0]) == len(study.units)
