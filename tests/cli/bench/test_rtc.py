import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chunkenv.bench.store.reading import open_store
from chunkenv.bench.studies import rtc_study
from chunkenv.cli.bench import app

EXAMPLES = Path(__file__).parents[3] / "examples"
TASK = "cartpole_thrust"

pytest.importorskip("jax")
pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def forgotten_examples(monkeypatch):
    """What was imported from the examples is forgotten; jax, which cannot be imported twice, is not."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in ("own_strategy", "kinetix_policy"):
        sys.modules.pop(name, None)


def invoke(*words):
    return CliRunner(env={"COLUMNS": "120", "TERM": "dumb"}).invoke(app, ["rtc", "--tasks", TASK, *map(str, words)])


def test_own_strategies_and_policies_stand_in_the_rows_the_tables_and_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(rtc_study, "SWEEPS", ((2, 2),))
    own = (
        "--strategy",
        f"{EXAMPLES}/own_strategy.py:CrossFade",
        "--policy",
        f"mean={EXAMPLES}/kinetix_policy.py:make_policy",
    )
    chosen = ("--methods", "naive", "--episodes", "2", *own)
    result = invoke(*chosen, "--workers", "1", "--out", tmp_path)
    assert not result.exception, result.output
    assert "cross-fade" in result.output
    with open_store(tmp_path / "episodes.sqlite") as store:
        rows, (run,) = store.rows(), store.runs()
    assert [row["method"] for row in rows] == ["cross-fade"] * 2 + ["mean"] * 2 + ["naive"] * 2
    assert len({row["seed"] for row in rows}) == 2
    assert run["command"].split()[3:] == ["--tasks", TASK, *chosen[:2], *own, *chosen[2:4]]
    assert "study" in run["versions"]
    assert "6 of 6 episodes are there already" in invoke(*chosen, "--out", tmp_path).output


BAD = {
    "a method without weights": (("--methods", "naive,training-time-rtc"), f"needs the weights {TASK}-prefix, which"),
    "an unknown method": (("--methods", "nave"), "did you mean 'naive'?"),
    "an unknown family": (("--policies", "smoth"), "policies='smoth' is neither"),
    "a name that stands": (("--strategy", f"rtc={EXAMPLES}/own_strategy.py:CrossFade"), "a method 'rtc' already"),
    "no file": (("--policy", "nothing.py:make"), "'nothing.py:make' is not FILE.py:NAME"),
    "both sizes": (("--methods", "naive", "--quick", "--full"), "--quick and --full both say how many episodes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(tmp_path, case):
    words, sentence = BAD[case]
    family = [] if "--policies" in words else ["--policies", plain_family(tmp_path)]
    result = invoke(*words, *family, "--out", tmp_path / "out")
    assert sentence in str(result.exception)
    assert not (tmp_path / "out").exists()


def plain_family(folder):
    (folder / "manifest.json").write_text(json.dumps({f"{TASK}-plain": {}}))
    return folder


SIZES = {
    "usual": ((), rtc_study.PAPERS_METHODS, rtc_study.SWEEPS, 256),
    "quick": (("--quick",), rtc_study.PAPERS_METHODS, rtc_study.QUICK, 32),
    "full": (("--full",), rtc_study.FULL_METHODS, rtc_study.ALL, 2048),
    "full, one method": (("--full", "--methods", "naive"), ("naive",), rtc_study.ALL, 2048),
}


@pytest.mark.parametrize("case", SIZES)
def test_how_large_the_study_is(case, monkeypatch):
    played = []
    monkeypatch.setattr("chunkenv.cli.bench.rtc.play_study", lambda context, study, show: played.append(study))
    words, methods, schedules, episodes = SIZES[case]
    assert not invoke(*words).exception
    (study,) = played
    assert [cell.method for cell in study.cells] == [method for method in methods for _ in schedules]
    assert {(cell.delay, cell.execution_horizon) for cell in study.cells} == set(schedules)
    assert study.episodes == episodes
