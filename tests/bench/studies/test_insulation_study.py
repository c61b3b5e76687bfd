"""The study of benchmarks/insulation.py: a tiny run with hand-made trainings, and what its tables say."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

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


def test_models_are_played_and_rows_have_what_the_trainings_measured(insulation, tmp_path):
    for arm, right in {"questions": 0.9, "joint": 0.75}.items():
        write_model(tmp_path / "cube-single" / "features" / arm / "seed0", arm, right)
    every = insulation.cells(("cube-single",), (0,), 4, 2)
    (cell,) = [cell for cell in every if (cell.method, cell.delay, cell.asked) == ("joint", 0, "as trained")]
    (row,) = insulation.play(cell, (0,), 5, tmp_path)
    assert {*insulation.RESULTS} < {*row}
    assert (row["right_before"], row["right_after"]) == (0.9, 0.75)
    assert np.isnan(row["flow_loss"])
    assert row["ticks"] == 20


def test_what_is_asked_reaches_the_environment_and_tokens_are_said_one_by_one(insulation, tmp_path):
    folder = tmp_path / "cube-single" / "features" / "insulated" / "seed0"
    write_model(folder, "insulated", right=0.5)
    every = insulation.cells(("cube-single",), (0,), 4, 2)
    said = {cell.method: insulation.make_policy(cell, folder) for cell in every if "insulated" in cell.method}
    assert [type(policy).__name__ for policy in said.values()] == ["VLAPolicy", "TokenPolicy"]
    delays = {cell.delay: cell for cell in every if cell.method == "insulated, by tokens"}
    assert [*delays] == [0, 2, 9]
    waits = insulation.make_env(delays[9], folder)
    waits.reset(seed=0)
    ticks = [waits.step(np.zeros((4, 5)))[-1]["ticks"] for _ in range(2)]
    assert ticks == [4, 9 + 4]  # the first chunk is there at once; for the second it waits
    cells = {cell.asked: cell for cell in every if cell.method == "insulated"}
    said = {}
    for asked, cell in cells.items():
        env = insulation.make_env(cell, folder)
        said[asked] = env.reset(seed=3)[0]["instruction"]
        assert env.get_wrapper_attr("unwrapped")._drawn == ("held-out" if "combinations" in asked else "train")
        env.close()
    assert said["as trained"] != said["held-out wordings"]
