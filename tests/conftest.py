"""What all tests stand on."""

import signal
import sys

import pytest


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard():
    """A shell that starts the tests in the background has them, and all that they start, ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def hangups_are_heard():
    """`nohup` has the tests, and all that they start, ignore a terminal that closes."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def clean_imports(monkeypatch):
    """What a test imports, and where from, is forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]
