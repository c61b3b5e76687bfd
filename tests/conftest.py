"""What all tests stand on."""

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard():
    """A shell that starts the tests in the background has them, and all that they start, ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
