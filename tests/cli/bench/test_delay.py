import re
import signal
import subprocess
import sys
import time

import pyarrow.parquet
import pytest

from chunkenv.bench.store.study_store import Store
from tests.cli.calling import invoke

TINY = ["--tasks", "grasp_easy", "--delays", "0,1", "--episodes", "1", "--workers", "1"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("results") / "delay"
    return out, invoke("bench", "delay", *TINY, "--out", out)


def test_a_study_ends_with_a_table_a_plot_and_a_database(finished):
    out, result = finished
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["delay.png", "episodes.sqlite"]
    assert "95 % interval" in result.output
    assert re.search(r"grasp_easy .*1 / 1 ", result.output)
    assert str(out / "delay.png") in result.output
    with Store(out / "episodes.sqlite") as store:
        assert len(store.rows()) == 4


def test_the_same_command_finds_its_rows(finished):
    out, _ = finished
    with Store(out / "episodes.sqlite") as store:
        before = store.rows()
    started = time.monotonic()
    result = invoke("bench", "delay", *TINY, "--out", out)
    assert "4 of 4 episodes are there already." in result.output
    assert time.monotonic() - started < 20
    with Store(out / "episodes.sqlite") as store:
        assert store.rows() == before


def test_export_writes_both_files(finished, tmp_path):
    out, _ = finished
    result = invoke("bench", "export", out, "--out", tmp_path)
    assert result.exit_code == 0
    assert result.output.split() == [str(tmp_path / "episodes.csv"), str(tmp_path / "episodes.parquet")]
    assert pyarrow.parquet.read_table(tmp_path / "episodes.parquet").num_rows == 4


def test_another_seed_is_refused_until_overwritten(finished, tmp_path):
    out, _ = finished
    result = invoke("bench", "delay", *TINY, "--seed", "1", "--out", out)
    assert result.exit_code == 2
    assert "must not be mixed" in result.stderr
    words = ["bench", "delay", *TINY, "--out", tmp_path]
    assert invoke(*words).exit_code == invoke(*words, "--seed", "1", "--overwrite").exit_code == 0
    with Store(tmp_path / "episodes.sqlite") as store:
        assert [run["seed"] for run in store.runs()] == [1]


def test_an_interrupt_says_what_is_kept(tmp_path):
    out = tmp_path / "out"
    code = "from chunkenv.cli import main; main()"
    words = ["bench", "delay", "--tasks", "grasp_easy", "--episodes", "200", "--workers", "1", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    rows = 0
    for _ in range(600):
        time.sleep(0.1)
        if (out / "episodes.sqlite").exists():
            with Store(out / "episodes.sqlite") as store:
                rows = len(store.rows())
        if rows:
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    kept = int(re.search(r"Interrupted: (\d+) of 2000 episodes are kept in", output)[1])
    assert kept >= rows > 0
    assert "The same command goes on from there." in output
    assert errors == ""
    with Store(out / "episodes.sqlite") as store:
        assert len(store.rows()) == kept


BAD = {
    "an unknown task": (["--tasks", "catapullt"], "There is no Kinetix level 'catapullt': did you mean 'catapult'?"),
    "a task far from all": (["--tasks", "catapult,chess"], "There is no Kinetix level 'chess': choose one of"),
    "no task": (["--tasks", ","], "the study 'delay' has no cells"),
    "a task twice": (["--tasks", "catapult,catapult"], "names a cell twice"),
    "an unknown method": (["--methods", "prefix_aware"], "did you mean 'prefix-aware'?"),
    "no method": (["--methods", ""], "the study 'delay' has no cells"),
    "a negative delay": (["--delays", "-1"], "delay=-1 is too small; give an int of at least 0"),
    "a delay as text": (["--delays", "two"], "--delays 'two' is no list of whole numbers"),
    "a fractional delay": (["--delays", "0.5"], "--delays '0.5' is no list of whole numbers"),
    "a range backwards": (["--delays", "4-0"], "--delays '4-0' runs backwards"),
    "an open range": (["--delays", "1-"], "--delays '1-' is no list of whole numbers"),
    "a delay twice": (["--delays", "1,0-2"], "names a cell twice"),
    "a delay above s": (["--delays", "3", "--horizons", "2"], "leaves ticks without a row"),
    "a delay above H - s": (["--delays", "5"], "leaves ticks without a row"),
    "a huge delay": (["--delays", "12345"], "is no list of whole numbers"),
    "a huge range": (["--delays", "0-9999"], "leaves ticks without a row"),
    "s of zero": (["--horizons", "0", "--delays", "0"], "execution_horizon=0 is too small"),
    "s negative": (["--horizons", "-4", "--delays", "0"], "execution_horizon=-4 is too small"),
    "s above H": (["--horizons", "9", "--delays", "0"], "leaves ticks without a row"),
    "s as text": (["--horizons", "four"], "--horizons 'four' is no list of whole numbers"),
    "H of zero": (["--prediction-horizon", "0"], "prediction_horizon=0 is too small"),
    "H negative": (["--prediction-horizon", "-8"], "prediction_horizon=-8 is too small"),
    "H as text": (["--prediction-horizon", "eight"], "'eight' is not a whole"),
    "no episodes": (["--episodes", "0"], "episodes=0 is too small"),
    "negative episodes": (["--episodes", "-1"], "episodes=-1 is too small"),
    "episodes as text": (["--episodes", "many"], "'many' is not a whole"),
    "episodes and quick": (["--quick", "--episodes", "5"], "give one of the two"),
    "a negative seed": (["--seed", "-1"], "seed=-1 is too small"),
    "a huge seed": (["--seed", str(2**63)], "is too large"),
    "no workers": (["--workers", "0"], "workers=0 is too small"),
    "negative workers": (["--workers", "-2"], "workers=-2 is too small"),
    "an unknown option": (["--delay", "2"], "No such option"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(case, tmp_path):
    words, sentence = BAD[case]
    result = invoke("bench", "delay", *words, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def broken_database(path):
    path.mkdir()
    (path / "episodes.sqlite").write_text("no database " * 100)


FOLDERS = {
    "a file": (lambda path: path.write_text("a file"), "cannot be a folder for results"),
    "a broken database in it": (broken_database, "cannot be used as a database of episodes"),
    "a folder as the database": (lambda path: (path / "episodes.sqlite").mkdir(parents=True), "unable to open"),
}


@pytest.mark.parametrize("words", [[], ["--overwrite"]], ids=["", "overwrite"])
@pytest.mark.parametrize("case", FOLDERS)
def test_bad_folders(case, words, tmp_path):
    make, sentence = FOLDERS[case]
    make(tmp_path / "out")
    result = invoke("bench", "delay", *TINY, *words, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_nothing_to_export(tmp_path, folder):
    (tmp_path / "file").touch()
    result = invoke("bench", "export", tmp_path / folder)
    assert result.exit_code == 2
    assert "has no episodes.sqlite" in " ".join(result.stderr.split())
    assert not (tmp_path / "missing").exists()


def test_the_plot_says_which_command_made_it(monkeypatch, finished):
    out, _ = finished
    captions = []
    monkeypatch.setattr(
        "chunkenv.bench.report.plots.plot_delay.plot_delay", lambda rows, path, caption: captions.append(caption)
    )
    invoke("bench", "delay", *TINY, "--out", out)
    assert captions == [
        "Sampling planner; 1 episode a task and point, seed 0; a chunk of 8 rows every 4 ticks; action noise 0.1.  "
        "$ chunkenv bench delay --tasks grasp_easy --delays 0,1 --episodes 1"
    ]


def test_several_horizons_have_a_plot_each(tmp_path):
    words = ["--tasks", "grasp_easy", "--delays", "1", "--horizons", "4,5", "--episodes", "1", "--methods", "naive"]
    result = invoke("bench", "delay", *words, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["delay-4.png", "delay-5.png"]
