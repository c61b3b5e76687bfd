"""kill -9 of workers and of runs at any moment: no row is lost, none is there twice, little is played twice."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from fake_study import block_study, play, slow_play

from chunkenv.bench.run.runner import run_study
from chunkenv.bench.store.study_store import Store
from tests.bench.run.test_runner import alive, children, with_these_tests

SCRIPT = """
import sys
from pathlib import Path
from fake_study import block_study, slow_play
from chunkenv.bench.run.runner import run_study
from chunkenv.bench.store.study_store import Store

if __name__ == "__main__":
    study = block_study(episodes=int(sys.argv[2]), play=slow_play)
    with Store(Path(sys.argv[1]), study.cell, study.results) as store:
        for unit in run_study(study, store, workers=2):
            print(unit.cell, unit.episode, flush=True)
"""


def started(path, episodes):
    script = path.parent / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(path), str(episodes)]
    return subprocess.Popen(command, env=with_these_tests(), stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE)


def opened(path):
    return Store(path, block_study().cell, block_study().results)


def expected(episodes):
    """The rows, worked out here."""
    study = block_study(episodes=episodes)
    cells = sorted(study.cells, key=lambda cell: tuple(vars(cell).values()))
    return [
        {**vars(cell), "episode": number, **row}
        for cell in cells
        for number, row in enumerate(play(cell, range(episodes), study.seed))
    ]


def same(rows, wanted):
    return [{name: row[name] for name in want} for row, want in zip(rows, wanted, strict=True)] == wanted


def kill_worker(process, rng):
    """Kill one of the workers, if there are some."""
    with contextlib.suppress(OSError):
        workers = children(process.pid)
        if workers:
            os.kill(int(rng.choice(workers)), signal.SIGKILL)
            return 1
    return 0


def run_and_kill(path, episodes, rng):
    """A run whose workers are killed one by one, and then itself: how many kills, which workers were left."""
    process = started(path, episodes)
    for _ in range(int(rng.integers(1, 30))):
        process.stdout.readline()
    kills = 0
    for _ in range(int(rng.integers(0, 3))):
        kills += kill_worker(process, rng)
        for _ in range(int(rng.integers(4, 30))):
            process.stdout.readline()
    time.sleep(rng.uniform(0, 0.05))
    left = children(process.pid) if process.poll() is None else []
    process.kill()
    _, errors = process.communicate()
    assert "StudyError" not in errors
    return kills + (process.returncode == -signal.SIGKILL), left


def kill_until(path, episodes, kills):
    rng, done, left, rows = np.random.default_rng(0), 0, [], 0
    while done < kills:
        more, workers = run_and_kill(path, episodes, rng)
        done += more
        left += workers
        with opened(path) as store:
            kept = store.select("SELECT COUNT(*) AS n FROM episodes")[0]["n"]
        assert rows <= kept < len(expected(episodes)), "the study is too short for so many kills"
        rows = kept
    assert not alive(left)


def check_kills(path, episodes, kills):
    kill_until(path, episodes, kills)
    _, errors = started(path, episodes).communicate(timeout=300)
    assert errors == ""
    with opened(path) as store:
        assert same(store.rows(), expected(episodes))
        assert store.select('SELECT * FROM blocks WHERE "#finished" IS NULL') == []


@pytest.mark.no_cover
def test_a_few_kills(tmp_path):
    check_kills(tmp_path / "episodes.sqlite", episodes=60, kills=4)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_200_kills(tmp_path):
    check_kills(tmp_path / "episodes.sqlite", episodes=1000, kills=200)


def test_a_run_survives_the_death_of_every_worker(tmp_path):
    path = tmp_path / "episodes.sqlite"
    study = block_study(episodes=60, play=slow_play)
    met = set()
    with opened(path) as store, contextlib.closing(run_study(study, store, workers=2)) as units:
        for number, _ in enumerate(units):
            if number % 240 == 20:
                workers = children(os.getpid())
                met |= set(workers)
                for worker in workers:
                    os.kill(worker, signal.SIGKILL)
        assert same(store.rows(), expected(60))
    assert len(met) >= 4
    assert not alive(met)


@pytest.mark.no_cover
def test_work_played_twice_is_at_most_what_was_under_way(tmp_path):
    path = tmp_path / "episodes.sqlite"
    process = started(path, 40)
    for _ in range(12):
        process.stdout.readline()
    process.kill()
    process.communicate()
    with opened(path) as store:
        kept = len(store.rows())
        under_way = len(store.select('SELECT * FROM blocks WHERE "#finished" IS NULL'))
        again = list(run_study(block_study(episodes=40), store, workers=1))
    assert under_way <= 2
    assert len(again) == len(expected(40)) - kept
