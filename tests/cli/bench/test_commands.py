import re
import shutil
import sys
from pathlib import Path

import pytest
from fake_study import block_study, fake_study
from typer.testing import CliRunner

from chunkenv.bench.run.block_queue import StudyError
from chunkenv.bench.run.runner import run_study
from chunkenv.bench.store.study_store import Store
from chunkenv.cli.bench import app
from chunkenv.errors import ArgumentError, ChunkenvError

STUDY = """
import os
from fake_study import block_study, cells, play

def fragile(cell, episodes, seed):
    if os.environ.get("BREAK") and episodes[0] >= 4:
        raise ValueError("it broke")
    return play(cell, episodes, seed)

study = block_study(name="mine", play=fragile, episodes=6)
"""


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[2] / "bench")])
    (tmp_path / "my_study.py").write_text(STUDY)

    def call(*words, ok=True):
        result = CliRunner(env={"COLUMNS": "120", "TERM": "dumb"}).invoke(app, [str(word) for word in words])
        assert isinstance(result.exception, ChunkenvError) != ok, result.output
        return " ".join(result.output.split()) if ok else result

    yield call
    sys.modules.pop("my_study", None)


def rows_in(folder):
    study = block_study()
    with Store(Path(folder) / "episodes.sqlite", study.cell, study.results) as store:
        return store.rows(), store.runs()


def test_a_study_of_ones_own_runs(invoke):
    output = invoke("run", "my_study.py", "--workers", "1")
    assert "48 of 48 episodes" in output
    assert "solved, % (95 % interval)" in output
    assert "database results/mine/episodes.sqlite" in output
    rows, (noted,) = rows_in("results/mine")
    assert len(rows) == 48
    assert noted["command"] == "chunkenv bench run my_study.py"
    assert "48 of 48 episodes are there already" in invoke("run", "my_study.py")


def test_episodes_and_seed_may_be_changed(invoke):
    invoke("run", "my_study.py", "--episodes", "2", "--seed", "3", "--workers", "1", "--out", "there")
    rows, (noted,) = rows_in("there")
    assert (len(rows), noted["seed"]) == (16, 3)
    assert noted["command"] == "chunkenv bench run my_study.py --episodes 2 --seed 3"


def test_other_rows_are_refused_until_overwritten(invoke):
    invoke("run", "my_study.py", "--workers", "1")
    assert "seed 0, which must not be mixed" in str(invoke("run", "my_study.py", "--seed", "1", ok=False).exception)
    invoke("run", "my_study.py", "--seed", "1", "--overwrite", "--workers", "1")
    assert rows_in("results/mine")[1][0]["seed"] == 1


def test_an_edited_study_must_not_find_its_old_rows(invoke):
    invoke("run", "my_study.py", "--workers", "1")
    Path("my_study.py").write_text(STUDY + "\nedited = True\n")
    sys.modules.pop("my_study")
    error = invoke("run", "my_study.py", ok=False).exception
    assert re.search(r"a study's file of fingerprint '\w{12}', which must not be mixed with '\w{12}'", str(error))


def test_a_comment_in_a_study_lets_it_go_on(invoke):
    invoke("run", "my_study.py", "--workers", "1")
    Path("my_study.py").write_text('"""Mine."""\n# a remark' + STUDY)
    sys.modules.pop("my_study")
    assert "48 of 48 episodes are there already" in invoke("run", "my_study.py")


def test_a_study_that_failed_at_once_may_be_mended_in_any_way(invoke):
    Path("my_study.py").write_text(STUDY.replace("return play(cell, episodes, seed)", "return cell.nothing"))
    assert isinstance(invoke("run", "my_study.py", "--workers", "1", ok=False).exception, StudyError)
    mended = STUDY.replace(
        "return play(cell, episodes, seed)", "return [dict(row, heat=3) for row in play(cell, episodes, 0)]"
    )
    Path("my_study.py").write_text(mended.replace("episodes=6)", "episodes=6, results={'energy': float, 'heat': int})"))
    sys.modules.pop("my_study")
    assert "48 of 48 episodes" in invoke("run", "my_study.py", "--workers", "1")


ODD = """
from dataclasses import dataclass
import numpy as np
from chunkenv.bench import Study
from chunkenv.evaluate import episode_seed

@dataclass(frozen=True, kw_only=True)
class Odd:
    rowid: str
    cost: int
    planned: int
    episodes: float

def play(cell, episodes, seed):
    base = {"ticks": np.int64(3), "return": np.float32(1), "underruns": 0, "decisions": 1, "n": np.array(7)}
    base["known"] = True
    return [base | {"seed": episode_seed(seed, each), "success": None if each else True} for each in episodes]

def cost(cell):
    return np.float32(cell.cost)

cells = [Odd(rowid=name, cost=np.int64(2), planned=1, episodes=number) for name in ("[a]", "b") for number in (0, 1)]
study = Study("odd", cells, play=play, episodes=4, seed=0, batch=4, results={"n": int, "known": bool}, cost=cost)
"""


def test_a_study_with_odd_names_and_numbers_goes_through_every_command(invoke):
    Path("odd_study.py").write_text(ODD)
    output = invoke("run", "odd_study.py", "--workers", "1")
    assert "[a] 0.0 4 1 100.0 (20.7 to 100.0)" in output
    assert "16 of 16 episodes are there already" in invoke("run", "odd_study.py")
    assert "success known of 4 episodes, not of 12" in invoke("status")
    assert "[a] 8 8" in invoke("status", "results/odd")
    shutil.copytree("results/odd", "there")
    assert "16 episodes both/episodes.sqlite" in invoke("merge", "results/odd", "there", "--out", "both")
    invoke("report", "both")
    invoke("export", "both")
    assert Path("both/episodes.csv").read_text().count(",true,") == 4
    sys.modules.pop("odd_study")


def test_a_study_that_failed_says_what_is_kept_and_goes_on(invoke, monkeypatch):
    monkeypatch.setenv("BREAK", "1")
    result = invoke("run", "my_study.py", "--workers", "1", ok=False)
    assert isinstance(result.exception, StudyError)
    assert "episodes 4 to 5 failed: ValueError: it broke" in str(result.exception)
    output = " ".join(result.output.split())
    assert "Failed: 32 of 48 episodes are kept in results/mine/episodes.sqlite." in output
    assert "The same command goes on from there" in output
    monkeypatch.delenv("BREAK")
    assert "32 of 48 episodes are there already" in invoke("run", "my_study.py", "--workers", "1")
    assert len(rows_in("results/mine")[0]) == 48


BAD = {
    "no file": (["run", "other_study.py"], "other_study.py is no Python file"),
    "no workers": (["run", "my_study.py", "--workers", "0"], "workers=0 is too small"),
    "another executor": (["run", "my_study.py", "--executor", "rya"], "executor='rya' is unknown; did you mean 'ray'?"),
    "an address without ray": (["run", "my_study.py", "--address", "auto"], "choose the executor 'ray' with it"),
    "no episodes": (["run", "my_study.py", "--episodes", "0"], "episodes=0 is too small"),
    "no study there": (["status", "nowhere"], "nowhere has no episodes.sqlite; give the folder that a study wrote"),
    "no studies": (["status"], "there is no study in results"),
    "no report": (["report", "nowhere"], "nowhere has no episodes.sqlite"),
    "one folder": (["merge", "nowhere", "--out", "new"], "give at least two folders"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(invoke, case):
    words, sentence = BAD[case]
    assert sentence in str(invoke(*words, ok=False).exception)
    assert sorted(path.name for path in Path().iterdir() if path.name != "__pycache__") == ["my_study.py"]


def test_status_of_one_and_of_all(invoke):
    invoke("run", "my_study.py", "--workers", "1")
    one = invoke("status", "results/mine")
    assert "results/mine (mine, seed 0) done 48 of 48 episodes (100 %) rate" in one
    assert re.search(r"task done planned missing left 24 24 right 24 24$", one)
    assert "missing" not in invoke("status")


def test_status_of_what_is_not_finished(invoke):
    study = block_study()
    with Store(Path("results/part/episodes.sqlite"), study.cell, study.results) as store:
        store.begin(study)
        assert "nothing plays this study now" in invoke("status")
        store.claim(study.blocks[0])
        store.claim(study.blocks[1])
        store.keep(study.blocks[0], study.play(*study.blocks[0], 0))
        output = invoke("status", "results/part")
    assert "done 4 of 80 episodes (5 %) missing 76, of which 4 are under way, the first since" in output
    assert "left about" in output


def test_a_report_is_written(invoke):
    invoke("run", "my_study.py", "--workers", "1")
    assert invoke("report", "results/mine") == "results/mine/report.html results/mine/report.md"
    assert "chunkenv bench run my_study.py" in Path("results/mine/report.html").read_text()


def test_folders_are_merged(invoke):
    invoke("run", "my_study.py", "--episodes", "3", "--workers", "1", "--out", "a")
    invoke("run", "my_study.py", "--workers", "1", "--out", "b")
    assert invoke("merge", "a", "b", "--out", "both") == "48 episodes both/episodes.sqlite"
    assert rows_in("both")[0] == rows_in("b")[0]
    assert "48 of 48 episodes are there already" in invoke("run", "my_study.py", "--out", "both")


def test_any_studys_rows_are_exported(invoke):
    invoke("run", "my_study.py", "--workers", "1")
    assert "results/mine/episodes.csv" in invoke("export", "results/mine")
    header, first, *_ = Path("results/mine/episodes.csv").read_text().splitlines()
    assert header.endswith("charged_latency,energy")
    assert first.endswith(",0.5,,,,0.0")


DECIDING = """
from fake_study import fake_study

study = fake_study(episodes=2)
"""


def test_decisions_are_kept_and_exported(invoke):
    Path("my_study.py").write_text(DECIDING)
    invoke("run", "my_study.py", "--workers", "1", "--keep-decisions")
    assert "results/fake/decisions.csv" in invoke("export", "results/fake")
    header, first, *_ = Path("results/fake/decisions.csv").read_text().splitlines()
    assert header.startswith("task,method,delay,execution_horizon,prediction_horizon,episode,decision,decision_tick,")
    assert first.startswith("left,bold,0,2,4,0,0,0,0,2,")
    refused = invoke("run", "my_study.py", "--workers", "1", ok=False)
    assert "holds episodes with the rows of their decisions" in str(refused.exception)


@pytest.mark.parametrize(
    "command", ["run", "status", "report", "merge", "export", "delay", "rtc", "latency", "charged"]
)
def test_help_is_there(invoke, command):
    assert "Usage:" in invoke(command, "--help")


def test_a_study_in_the_folder_of_another_is_refused(invoke):
    with Store(Path("results/mine/episodes.sqlite")) as store:
        list(run_study(fake_study(episodes=1), store, 1))
    with pytest.raises(ArgumentError, match="has rows with the columns"):
        raise invoke("run", "my_study.py", "--workers", "1", ok=False).exception
    shutil.rmtree("results")
