"""What all tests stand on."""

import os
import signal
import sys
from contextlib import contextmanager

import pytest

FAST_COMPILING = "JAX_DISABLE_MOST_OPTIMIZATIONS"
os.environ.setdefault(FAST_COMPILING, "1")  # what is compiled here runs for a moment: optimising it takes far longer


@contextmanager
def compiled_for_users():
    """Inside, JAX compiles as it does for users: all anew, with its optimisations."""
    jax = pytest.importorskip("jax")
    name = FAST_COMPILING.lower()
    before = jax.config.read(name)
    jax.clear_caches()
    jax.config.update(name, False)
    yield
    jax.config.update(name, before)
    jax.clear_caches()


@pytest.fixture
def optimised():
    """For tests of what optimisations might break."""
    with compiled_for_users():
        yield


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
