import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fake_study import LONG, Guess, cells, fake_study, make_env, make_policy, make_slow_policy

from chunkenv.bench.run.runner import StudyError, missing_blocks, run_study
from chunkenv.bench.store.study_store import Store
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import evaluate

SCRIPT = """
import sys
from pathlib import Path
from fake_study import LONG, fake_study, make_slow_policy
from chunkenv.bench.run.runner import run_study
from chunkenv.bench.store.study_store import Store

if __name__ == "__main__":
    with Store(Path(sys.argv[1])) as store:
        for unit in run_study(fake_study(make_policy=make_slow_policy, episodes=LONG), store, workers=2):
            print(unit, flush=True)
"""


def rows_of(path, study, workers=1):
    with Store(path) as store:
        list(run_study(study, store, workers))
        return store.rows()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return rows_of(tmp_path_factory.mktemp("whole") / "episodes.sqlite", fake_study())


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    return rows_of(tmp_path_factory.mktemp("long") / "episodes.sqlite", fake_study(episodes=LONG), workers=2)


def test_two_workers_give_the_rows_of_one(tmp_path, whole):
    assert rows_of(tmp_path / "episodes.sqlite", fake_study(), workers=2) == whole


def test_rows_are_those_of_evaluate(whole):
    cell = cells()[3]
    expected = evaluate(lambda: make_env(cell), make_policy(cell), episodes=3, seed=0)
    found = [row for row in whole if (row["task"], row["method"], row["delay"]) == (cell.task, cell.method, cell.delay)]
    assert [{key: row[key] for key in expected[0]} for row in found] == expected


def test_another_seed_gives_other_rows(tmp_path, whole):
    rows = rows_of(tmp_path / "episodes.sqlite", fake_study(seed=1))
    assert {row["seed"] for row in rows}.isdisjoint(row["seed"] for row in whole)


def test_only_what_is_missing_is_played(tmp_path, whole):
    with Store(tmp_path / "episodes.sqlite") as store:
        list(run_study(fake_study(episodes=2), store, workers=1))
        played = list(run_study(fake_study(), store, workers=1))
        assert {unit.episode for unit in played} == {2}
        assert missing_blocks(fake_study(), store) == []
        assert store.rows() == whole


def test_a_finished_study_starts_no_worker(tmp_path, monkeypatch):
    with Store(tmp_path / "episodes.sqlite") as store:
        list(run_study(fake_study(episodes=1), store, workers=1))
        monkeypatch.setattr(
            "chunkenv.bench.run.local_executor.ProcessExecutor._start", lambda *_: pytest.fail("a worker was started")
        )
        assert list(run_study(fake_study(episodes=1), store, workers=2)) == []


def test_the_work_is_balanced_and_the_long_cells_come_first():
    units = fake_study(cost=lambda cell: cell.delay).units
    assert [unit.episode for unit in units] == sorted(unit.episode for unit in units)
    assert [unit.cell.delay for unit in units[: len(cells())]] == [1] * 4 + [0] * 4


def make_mended_policy(cell):
    return make_policy(cell)


def make_broken_policy(cell):
    return Broken() if cell.delay else make_policy(cell)


class Broken:
    def infer(self, observation, request):
        raise ZeroDivisionError("one by none")


def make_unfit_policy(cell):
    return Unfit()


class Unfit:
    def infer(self, observation, request):
        return np.zeros((3, 1), np.float32)


def make_dying_policy(cell):
    return Dying() if cell.delay else make_policy(cell)


class Dying(Guess):
    def __init__(self):
        os.kill(os.getpid(), signal.SIGKILL)


def make_leaving_policy(cell):
    return Leaving() if cell.delay else make_policy(cell)


class Leaving(Guess):
    def __init__(self):
        os._exit(3)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("make_policy", "sentence"),
    [
        (make_broken_policy, "delay 1, execution horizon 2 of 4, episode 0 failed: ZeroDivisionError: one by none"),
        (make_unfit_policy, "Unfit.infer returned a chunk that cannot be executed"),
        (make_dying_policy, "its worker process was killed by SIGKILL, 3 times; if memory was short"),
        (make_leaving_policy, "its worker process ended with exit code 3; a script must"),
    ],
)
def test_a_unit_that_fails_is_named_and_the_rest_is_kept(tmp_path, make_policy, sentence, workers):
    study = fake_study(make_policy=make_policy)
    with Store(tmp_path / "episodes.sqlite") as store:
        with pytest.raises(StudyError, match=sentence):
            list(run_study(study, store, workers))
        kept = store.rows()
        assert all(row["delay"] == 0 for row in kept)
        list(run_study(fake_study(make_policy=make_mended_policy), store, workers))
        assert [row for row in store.rows() if row in kept] == kept


def test_a_traceback_comes_with_errors_that_need_one(tmp_path):
    with Store(tmp_path / "episodes.sqlite") as store:
        with pytest.raises(StudyError) as caught:
            list(run_study(fake_study(make_policy=make_broken_policy), store, 1))
        assert "in infer" in caught.value.traceback
        with pytest.raises(StudyError) as caught:
            list(run_study(fake_study(make_policy=make_unfit_policy), store, 1))
        assert caught.value.traceback == ""


@pytest.mark.parametrize("workers", [0, -1, 1.5, "two", None])
def test_workers_must_be_a_count(tmp_path, workers):
    with Store(tmp_path / "episodes.sqlite") as store:
        with pytest.raises(ArgumentError, match="workers="):
            list(run_study(fake_study(), store, workers))
        assert store.runs() == []


def test_a_study_runs_in_any_thread(tmp_path, whole):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(rows_of, tmp_path / "episodes.sqlite", fake_study()).result() == whole


def test_leaving_the_loop_ends_the_workers(tmp_path):
    with Store(tmp_path / "episodes.sqlite") as store:
        with contextlib.closing(run_study(fake_study(make_policy=make_slow_policy), store, workers=2)) as units:
            next(units)
            workers = children(os.getpid())
            assert len(workers) == 2
        assert not alive(workers)
        assert len(store.rows()) >= 1


def with_these_tests():
    """An environment in which scripts find the modules beside this one."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path}


def children(pid):
    """Worker processes of `pid` (Linux: other systems skip what needs this)."""
    if not Path("/proc/self/task").exists():
        pytest.skip("needs /proc")
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if b"spawn_main" in cmdline(child)]


def cmdline(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def alive(pids):
    """Those that still run, after a moment to end."""
    for _ in range(100):
        left = [pid for pid in pids if b"spawn_main" in cmdline(pid)]
        if not left:
            break
        time.sleep(0.05)
    return left


def started(path):
    environment = with_these_tests()
    script = path.parent / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(path)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE)


def finish(path):
    _, errors = started(path).communicate(timeout=120)
    assert errors == ""
    with Store(path) as store:
        return store.rows()


def test_workers_end_in_the_middle_of_an_episode_when_the_parent_is_killed(tmp_path):
    process = started(tmp_path / "episodes.sqlite")
    process.stdout.readline()
    workers = children(process.pid)
    assert len(workers) == 2
    process.kill()
    process.communicate()
    assert not alive(workers)


def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace('if __name__ == "__main__":', "if True:"))
    environment = with_these_tests()
    command = [sys.executable, str(script), str(tmp_path / "episodes.sqlite")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "must run studies under `if __name__ == '__main__':`" in result.stderr


def test_two_runs_at_once_make_the_same_rows_once(tmp_path, long):
    path = tmp_path / "episodes.sqlite"
    runs = [started(path), started(path)]
    assert [run.communicate(timeout=120)[1] for run in runs] == ["", ""]
    with Store(path) as store:
        assert store.rows() == long
        assert len(store.runs()) == 1


def test_an_interrupt_ends_the_workers_quietly(tmp_path, long):
    path = tmp_path / "episodes.sqlite"
    process = started(path)
    process.stdout.readline()
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert errors.count("KeyboardInterrupt") == 1
    assert not alive(workers)
    assert finish(path) == long
