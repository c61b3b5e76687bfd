"""The study of benchmarks/optimizers.py: what it reads out of curves, and a tiny run."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.data import write_episodes
from tests.data.making import LEVEL, episode, info

pytest.importorskip("jax")
BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def optimizers(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    monkeypatch.delitem(sys.modules, "optimizers", raising=False)
    import optimizers

    return optimizers


def row(method, rate, seed, losses, task="grasp_easy"):
    curve = [[100 * (place + 1), loss, 2.0 * (place + 1)] for place, loss in enumerate(losses)]
    about = {"task": task, "width": 64, "method": method, "learning_rate": rate, "training_seed": seed}
    return {**about, "curve": json.dumps(curve)}


def test_a_rate_is_chosen_by_the_other_seeds_and_shares_are_adams(optimizers):
    rows = [
        *(row("adam", 0.1, seed, [4, 3, 2, 1]) for seed in range(3)),
        *(row("adam", 0.2, seed, [4, 3, 3, 3]) for seed in range(3)),
        *(row("splus", 1.0, seed, [2, 1, 0.5, 0.5]) for seed in range(3)),
        row("splus", 2.0, 0, [0, 0, 0, 0]),
        *(row("splus", 2.0, seed, [9, 9, 9, np.nan]) for seed in (1, 2)),
    ]
    found = optimizers.curves_of(rows)
    adam, splus = found["grasp_easy", 64, "adam"], found["grasp_easy", 64, "splus"]
    assert optimizers.best_rate(adam) == 0.1
    assert [optimizers.best_rate(splus, seed) for seed in range(3)] == [1.0] * 3
    assert optimizers.shares(splus, adam) == [(0.5, 0.5)] * 3
    assert optimizers.shares(adam, adam) == [(1.0, 1.0)] * 3


def test_who_never_gets_there_is_told(optimizers, capsys):
    rows = [row("adam", 0.1, seed, [2, 1]) for seed in range(2)] + [
        row("muon", 0.1, seed, [2, 1.5]) for seed in range(2)
    ]
    optimizers.show(rows)
    assert "| grasp_easy | 64 | muon | 0.1 | 1.5000 | 0 of 2 seeds | 0 of 2 seeds |" in capsys.readouterr().out
    assert optimizers.describe([0.5, np.inf]) == "1 of 2 seeds, 0.50"


def test_every_optimizer_is_swept_with_every_seed(optimizers):
    cells = optimizers.make_study().cells
    seen = {(cell.optimizer, cell.averaged) for cell in cells}
    assert seen == set(optimizers.ARMS)
    assert len({optimizers.training_folder(cell) for cell in cells}) == len(cells) == 3 * 3 * 4 * 4
    assert {cell.width for cell in optimizers.widths().cells} == {64, 128, 256}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flow", "critic"])
def test_trainings_are_measured_played_and_drawn(optimizers, kind, tmp_path):
    size = gym.make(f"chunkenv/kinetix-{LEVEL}-v0", observation="compact").observation_space.shape[0]
    write_episodes(tmp_path / "data" / LEVEL, [episode(length, size=size) for length in (20, 30)], info())
    cells = optimizers.sweep(LEVEL, kind, (("adam", 0), ("splus", 1)), (8,), seeds=(0,), updates=200)[::4]
    study = optimizers.study_of("tiny", cells, tmp_path / "data", tmp_path / "trained")
    rows = [{**asdict(cell), **row} for cell in cells for row in study.play(cell, (0, 1), 0)]
    assert [len(json.loads(row["curve"])) for row in rows] == [2 if kind == "flow" else 1] * 4
    optimizers.show(rows)
    for by_width in (False, True):
        optimizers.plot(rows, tmp_path / "plot.png", by_width)
        assert (tmp_path / "plot.png").stat().st_size > 1000
