"""What worker processes share; that they go with their parent is tested where there are some."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from chunkenv.utils.processes import TERMINAL_SIGNALS, describe_exit, ignore_interrupts, keep_signals

IGNORES = "import signal, sys; sys.exit(signal.getsignal(int(sys.argv[1])) is signal.SIG_IGN)"


def ignores(number):
    return subprocess.run([sys.executable, "-c", IGNORES, str(int(number))]).returncode == 1


@pytest.mark.usefixtures("hangups_are_heard")
@pytest.mark.parametrize("number", TERMINAL_SIGNALS)
def test_only_what_is_started_inside_is_deaf(number):
    before = signal.getsignal(number)
    with ignore_interrupts():
        assert ignores(number)
    assert not ignores(number)
    assert signal.getsignal(number) is before


def test_what_is_set_inside_does_not_stay():
    before = signal.getsignal(signal.SIGTERM)
    with keep_signals():
        signal.signal(signal.SIGTERM, lambda *_: None)
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_error_inside_leaves_the_parent_as_it_was():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), ignore_interrupts():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_signals_alone():
    seen = []

    def enter():
        with ignore_interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


@pytest.mark.parametrize(
    ("command", "words"), [("kill -9 $$", "was killed by SIGKILL"), ("exit 7", "ended with exit code 7")]
)
@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_ends_in_words(command, words):
    assert describe_exit(subprocess.run(["sh", "-c", command]).returncode) == words
