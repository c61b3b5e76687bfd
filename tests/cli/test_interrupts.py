"""SIGTERM and SIGHUP end every command as Ctrl-C does: tidily, with a sentence, and with an exit code of their own."""

import contextlib
import io
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console
from typer import Exit

import chunkenv.collect as collection
from chunkenv.cli import play
from chunkenv.cli.interrupts import GRACE, Ended, exit_code, raise_signals, say_if_interrupted
from chunkenv.cli.progress import watch_training
from tests.cli.calling import invoke

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
MAIN = "from chunkenv.cli import main; main()"
ON_A_TERMINAL = f"import fcntl, os, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); {MAIN}"
every_signal = pytest.mark.parametrize("way", CODES, ids=lambda way: way.name)
pytestmark = pytest.mark.usefixtures("hangups_are_heard")


STUDY = """
import time
from chunkenv.bench import Cell, Study
from chunkenv.evaluate import episode_seed


def play(cell, episodes, seed):
    time.sleep(0.2)
    row = {"ticks": 1, "return": 1.0, "success": True, "underruns": 0, "decisions": 1}
    return [{"seed": episode_seed(seed, episode), **row} for episode in episodes]


study = Study("slow", (Cell("task", "method", 0, 1, 1),), play=play, episodes=2000, seed=0)
"""


def bench(out, *more, code=MAIN, **streams):
    """A study of 2000 episodes, once some of them are kept."""
    (out / "study.py").write_text(STUDY)
    words = ["bench", "run", str(out / "study.py"), "--workers", "2", "--out", str(out), *more]
    process = subprocess.Popen([sys.executable, "-c", code, *words], **streams)
    deadline = time.monotonic() + 120
    while not kept(out):
        assert time.monotonic() < deadline and process.poll() is None  # noqa: PT018
        time.sleep(0.1)
    return process


def kept(out):
    return select(out, "SELECT * FROM episodes") if (out / "episodes.sqlite").exists() else []


def claims(out):
    return select(out, 'SELECT * FROM blocks WHERE "#finished" IS NULL')


def select(out, query):
    try:
        with contextlib.closing(sqlite3.connect(out / "episodes.sqlite")) as database:
            return database.execute(query).fetchall()
    except sqlite3.OperationalError:  # its tables are being made
        return []


@pytest.mark.no_cover
@every_signal
def test_a_study_releases_its_claims_and_says_what_is_kept(way, tmp_path):
    process = bench(tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert claims(tmp_path)
    process.send_signal(way)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == CODES[way], errors
    assert f"Interrupted: {len(kept(tmp_path))} of 2000 episodes are kept in {tmp_path}" in output
    assert "The same command goes on from there." in output
    assert errors == ""
    assert not claims(tmp_path)


@pytest.mark.no_cover
def test_a_terminal_that_closes_is_no_error(tmp_path):
    ours, theirs = pty.openpty()
    process = bench(tmp_path, code=ON_A_TERMINAL, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.close(ours)
    assert process.wait(timeout=60) == 129
    assert kept(tmp_path)
    assert not claims(tmp_path)


def test_nohup_keeps_a_command_alive():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with raise_signals():
        signal.raise_signal(signal.SIGHUP)
    assert signal.signal(signal.SIGHUP, before) == signal.SIG_IGN


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_disturb_tidying_up(way, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with raise_signals():
        with pytest.raises(Ended) as ended:
            signal.raise_signal(way)
        signal.raise_signal(signal.SIGHUP)
        clock[0] += GRACE + 1
        with pytest.raises(Ended):  # a command that hangs can be ended again
            signal.raise_signal(signal.SIGTERM)
    assert exit_code(ended.value) == CODES[way]
    assert signal.getsignal(way) == signal.SIG_DFL


def test_other_threads_leave_signals_alone():
    seen = []

    def enter():
        with raise_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


@pytest.mark.slow
@every_signal
def test_a_study_under_ray_does_so_too(way, tmp_path):
    pytest.importorskip("ray")
    process = bench(tmp_path, "--executor", "ray", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.send_signal(way)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == CODES[way], errors
    assert f"Interrupted: {len(kept(tmp_path))} of 2000 episodes are kept in {tmp_path}" in output
    assert not claims(tmp_path)


@every_signal
@pytest.mark.parametrize("there", [True, False])
def test_a_training_says_where_it_goes_on(way, there, tmp_path):
    console = Console(file=io.StringIO(), width=200)
    if there:
        (tmp_path / "resume").touch()

    def rounds():
        yield {"steps": 1500}
        signal.raise_signal(way)

    silent = dict(title="", unit="steps", describe=lambda _: "", report=lambda _: "")
    with pytest.raises(Exit) as ended, raise_signals():
        watch_training(console, rounds(), total=4000, done=0, kept=tmp_path / "resume", **silent)
    assert ended.value.exit_code == CODES[way]
    begins = "goes on from the last state that is in" if there else "begins anew"
    assert console.file.getvalue().startswith("Interrupted: 1,500 of 4,000 steps were made")
    assert begins in console.file.getvalue()


@every_signal
def test_collecting_says_what_is_kept(way, tmp_path, monkeypatch):
    def interrupted(*_, progress, **__):
        progress(5, 50)
        signal.raise_signal(way)

    monkeypatch.setattr(collection, "collect_plans", interrupted)
    result = invoke("data", "collect", "catapult", "--planner", "--episodes", 9, "--out", tmp_path)
    assert result.exit_code == CODES[way]
    assert "Interrupted: at least 5 episodes are kept. The same command goes on from there." in result.output


@every_signal
def test_a_video_ends_where_it_was_interrupted(way, tmp_path, monkeypatch):
    def play_scene(scene, open_screen, episodes, seed):
        Path(tmp_path / "out.gif").touch()
        signal.raise_signal(way)

    monkeypatch.setattr(play, "play_scene", play_scene)
    result = invoke("play", "catapult", "--video", tmp_path / "out.gif")
    assert result.exit_code == CODES[way]
    assert f"Interrupted: {tmp_path / 'out.gif'} ends there." in result.output.replace("\n", "")


@every_signal
def test_elsewhere_one_word_is_said(way, monkeypatch):
    monkeypatch.setattr("chunkenv.cli.doctor.Console", lambda **_: signal.raise_signal(way))
    result = invoke("doctor")
    assert (result.exit_code, result.stderr) == (CODES[way], "Interrupted.\n")


def test_nothing_is_said_where_nothing_happens():
    console = Console(file=io.StringIO())
    with say_if_interrupted(console, lambda: "never"):
        pass
    assert console.file.getvalue() == ""
