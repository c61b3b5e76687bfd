"""The study of benchmarks/insulation.py: a tiny run with hand-made trainings, and what its tables say."""

import json
import sys
from pathlib import Path

import pytest

from chunkenv.bench.run.runner import run_study
from chunkenv.bench.store.study_store import Store
from tests.bench.studies.worded_models import write_model

pytest.importorskip("jax")
pytest.importorskip("ogbench")
BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def insulation(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import insulation

    return insulation


def row(arm, seed, solved, *, asked="as trained", delay=0, after=0.5, loss=0.2):
    about = {"task": "cube-single", "method": arm, "asked": asked, "delay": delay, "training_seed": seed}
    curve = json.dumps([[100, loss, after, float(solved)]])
    return {**about, "success": solved, "flow_loss": loss, "right_before": 0.9, "right_after": after, "curve": curve}


def test_the_tables_compare_each_arm_with_joint_seed_by_seed(insulation, capsys, tmp_path):
    rows = [row("joint", seed, seed == 0, after=0.5 + 0.1 * seed) for seed in (0, 1)]
    rows += [row("insulated", seed, True, after=0.8 + 0.1 * seed) for seed in (0, 1)]
    rows += [row("insulated", seed, False, asked="held-out wordings") for seed in (0, 1)]
    rows += [row("tokens", seed, True, delay=9, loss=float("nan")) for seed in (0, 1)]
    insulation.show(rows)
    said = capsys.readouterr().out
    assert "| cube-single | 0 | joint | 50 [0, 100] (100, 0) |  |" in said
    assert "| cube-single | 0 | insulated | 100 (100, 100) | +50 [+0, +100] |" in said
    assert "| cube-single | insulated | 100 (100, 100) | 0 (0, 0) |  |" in said
    assert "| cube-single | insulated | 0.200 | 90 | 85 [80, 90] | +30 |" in said
    assert "| cube-single | tokens |  | 90 | 50 | -5 [-10, +0] |" in said
    assert "| cube-single | tokens | 9 | 100 (100, 100) |" in said
    insulation.plot(rows, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_models_are_played_with_what_they_are_asked_for_and_rows_have_what_the_trainings_measured(insulation, tmp_path):
    for arm in ("questions", "joint"):
        write_model(tmp_path / "cube-single" / "features" / arm / "seed0", arm, right=0.75)
    chosen = [
        cell for cell in insulation.cells(("cube-single",), (0,), 4, 2) if (cell.method, cell.delay) == ("joint", 0)
    ]
    tiny = insulation.study("tiny", chosen, tmp_path, episodes=1)
    with Store(tmp_path / "rows.sqlite", tiny.cell, tiny.results) as store:
        for _ in run_study(tiny, store, workers=1):
            pass
        rows = store.rows()
    assert {row["asked"]: row["right_after"] for row in rows} == dict.fromkeys(insulation.ASKED, 0.75)
    assert {row["right_before"] for row in rows} == {0.75}
    assert {row["flow_loss"] for row in rows} == {None}
    assert {row["ticks"] for row in rows} == {5}


def test_what_is_asked_reaches_the_environment_and_tokens_are_said_one_by_one(insulation, tmp_path):
    folder = tmp_path / "cube-single" / "features" / "insulated" / "seed0"
    write_model(folder, "insulated", right=0.5)
    every = insulation.cells(("cube-single",), (0,), 4, 2)
    said = {cell.method: insulation.make_policy(cell, folder) for cell in every if "insulated" in cell.method}
    assert [type(policy).__name__ for policy in said.values()] == ["VLAPolicy", "TokenPolicy"]
    assert {cell.delay for cell in every if cell.method == "insulated, by tokens"} == {0, 2, 9}
    cells = {cell.asked: cell for cell in every if cell.method == "insulated"}
    said = {}
    for asked, cell in cells.items():
        env = insulation.make_play(cell, folder).make_env()
        said[asked] = env.reset(seed=3)[0]["instruction"]
        assert env.get_wrapper_attr("unwrapped")._drawn == ("held-out" if "combinations" in asked else "train")
        env.close()
    assert said["as trained"] != said["held-out wordings"]
