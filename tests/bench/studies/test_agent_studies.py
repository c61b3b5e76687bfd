"""The studies of benchmarks/qc_study.py: an agent is trained once, then plays; both go on after an interruption."""

import sys
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pytest

from chunkenv.bench.run.runner import run_study
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.studies.user_study import load_study
from chunkenv.data import write_episodes
from tests.data.making import LEVEL, episode, info

pytest.importorskip("jax")

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
STUDY = """
from dataclasses import replace
from pathlib import Path

from qc_study import make_agent_study, make_cell

HERE = Path(__file__).parent
QUICK = {"offline_steps": 4, "online_steps": 0, "evaluate_every": 2, "evaluation_episodes": 1, "hidden": "8"}
CELL = make_cell("data", "qc", samples=2, **QUICK)
CELLS = [CELL, replace(CELL, way="best-of-2", method="best of 2")]
study = make_agent_study("tiny", CELLS, HERE, HERE / "agents")
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    monkeypatch.delitem(sys.modules, "tiny_study", raising=False)
    size = gym.make(f"chunkenv/kinetix-{LEVEL}-v0", observation="compact").observation_space.shape[0]
    write_episodes(tmp_path / "data", [episode(length, size=size) for length in (20, 30)], info())
    (tmp_path / "tiny_study.py").write_text(STUDY)
    return replace(load_study(tmp_path / "tiny_study.py"), episodes=2, batch=1)


def rows_of(study, path, stop=False):
    with Store(path, study.cell, study.results) as store:
        units = run_study(study, store, workers=1)
        for _ in units:
            if stop:
                units.close()
        return store.rows()


def test_an_agent_is_trained_once_and_a_study_goes_on(study, tmp_path):
    kept = rows_of(study, tmp_path / "here.sqlite", stop=True)
    (agent,) = (tmp_path / "agents").rglob("agent.safetensors")
    written = agent.stat().st_mtime_ns
    assert 0 < len(kept) < 4
    rows = rows_of(study, tmp_path / "here.sqlite")
    assert len(rows) == 4
    assert agent.stat().st_mtime_ns == written
    assert {row["training_steps"] for row in rows} == {4}
    assert {row["curve"] for row in rows} == {"[[4, 0.0]]"}
    assert all(row in rows for row in kept)
