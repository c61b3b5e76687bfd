"""Studies under Ray; a Ray of its own takes a while to start, so most of this is slow."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from fake_study import block_study, fake_study, play, slow_play

from chunkenv.bench.run.runner import StudyError, Workers, run_study
from chunkenv.bench.store.study_store import Store
from chunkenv.errors import ArgumentError, MissingExtraError


def rows_of(path, study, workers):
    with Store(path, study.cell, study.results) as store:
        list(run_study(study, store, workers))
        return store.rows()


def test_without_ray_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r'ray is not installed: run `pip install "chunkenv\[ray\]"`'):
        rows_of(tmp_path / "episodes.sqlite", block_study(), Workers(2, "ray"))


def test_a_finished_study_starts_no_ray(tmp_path, monkeypatch):
    study = block_study()
    path = tmp_path / "episodes.sqlite"
    before = rows_of(path, study, 1)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert rows_of(path, study, Workers(2, "ray")) == before


@pytest.fixture(scope="module")
def cluster():
    """A Ray with two workers that this process is connected to."""
    ray = pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    ray.init(
        address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20,
        logging_level="error", runtime_env={"env_vars": {"PYTHONPATH": paths}},
    )  # fmt: skip
    yield ray
    ray.shutdown()


def players():
    """Processes of actors that play (Linux)."""
    if not Path("/proc").exists():
        pytest.skip("needs /proc")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"ray::BlockPlayer" in (folder / "cmdline").read_bytes() and folder.stat().st_uid == os.getuid():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_a_killed_worker_changes_no_row(tmp_path, cluster):
    study = block_study(play=slow_play, episodes=60)
    expected = rows_of(tmp_path / "here.sqlite", block_study(play=play, episodes=60), 2)
    killed, path = [], tmp_path / "ray.sqlite"
    with Store(path, study.cell, study.results) as store:
        for number, _ in enumerate(run_study(study, store, Workers(2, "ray"))):
            if number == 20:
                killed.append(players()[0])
                os.kill(killed[-1], signal.SIGKILL)
        assert store.rows() == expected
        assert store.select('SELECT * FROM blocks WHERE "#finished" IS NULL') == []
    assert len(killed) == 1


@pytest.mark.slow
def test_environments_give_the_rows_of_processes(tmp_path, cluster):
    study = fake_study()
    assert rows_of(tmp_path / "ray.sqlite", study, Workers(2, "ray")) == rows_of(tmp_path / "here.sqlite", study, 1)
    assert cluster.is_initialized()
    for _ in range(100):
        if not players():
            break
        time.sleep(0.1)
    assert not players()


def play_nothing(cell, episodes, seed):
    raise ZeroDivisionError("one by none")


def play_and_die(cell, episodes, seed):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "sentence"),
    [(play_nothing, "episodes 0 to 3 failed: ZeroDivisionError"), (play_and_die, "died under Ray, 3 times")],
)
def test_a_block_that_fails_is_named(tmp_path, cluster, broken, sentence):
    with pytest.raises(StudyError, match=sentence):
        rows_of(tmp_path / "episodes.sqlite", block_study(play=broken), Workers(2, "ray"))


@pytest.mark.slow
def test_a_cluster_that_is_not_there(tmp_path):
    ray = pytest.importorskip("ray")
    if ray.is_initialized():
        ray.shutdown()
    with pytest.raises(ArgumentError, match=r"there is no Ray cluster at '127.0.0.1:1'"):
        rows_of(tmp_path / "episodes.sqlite", block_study(), Workers(2, "ray", "127.0.0.1:1"))


@pytest.mark.slow
def test_a_ray_of_its_own_is_started_and_ended(tmp_path):
    ray = pytest.importorskip("ray")
    study = fake_study(episodes=1)
    here = rows_of(tmp_path / "here.sqlite", study, 1)
    assert rows_of(tmp_path / "ray.sqlite", study, Workers(2, "ray")) == here
    assert not ray.is_initialized()
