"""What all tests stand on."""

import ctypes
import gc
import os
import signal
import subprocess
import sys

import pytest

FAST_COMPILING = "JAX_DISABLE_MOST_OPTIMIZATIONS"
FEWER_STEPS = (
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1 --xla_cpu_multi_thread_eigen=false"
)
if os.environ.setdefault(FAST_COMPILING, "1") == "1":
    os.environ.setdefault("XLA_FLAGS", FEWER_STEPS)  # what is compiled here runs for a moment: compiling takes longer

os.environ.setdefault("MKL_NUM_THREADS", "1")  # of PyTorch: where cores are few, threads mostly wait for each other

GROWTH = 600
"""MiB that a process may grow by before it gives back what JAX compiled."""


@pytest.hookimpl(hookwrapper=True)
def pytest_collection():
    """What is imported and gathered stays to the end: Python need not look there for garbage, now or ever."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """A test marked `optimised` runs in a process of its own: XLA reads its flags once."""
    if pyfuncitem.get_closest_marker("optimised") is None or os.environ[FAST_COMPILING] == "0":
        return None
    done = run_as_users_compile(pyfuncitem)
    assert done.returncode == 0, done.stdout
    return True


def pytest_sessionstart(session):
    """While the workers of a run gather their tests, numba compiles: once for all of them, and not under coverage.

    Tracing makes numba's compiler, which is Python, several times as slow.
    """
    if getattr(session.config.option, "numprocesses", None) and not hasattr(session.config, "workerinput"):
        environment = {name: word for name, word in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
        command = [sys.executable, "-m", "tests.compile_kernels"]
        silent = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # without numba it ends at once
        session.config.compiling = subprocess.Popen(command, cwd=session.config.rootpath, env=environment, **silent)


def pytest_sessionfinish(session):
    if compiling := getattr(session.config, "compiling", None):
        compiling.kill()
        compiling.wait()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A test marked `no_cover`, which pytest-cov leaves out of the coverage, has its processes left out, too."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("no_cover"):
            patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


def run_as_users_compile(test):
    # PYTEST_ADDOPTS may measure coverage, whose files the processes would take from each other.
    environment = {name: word for name, word in os.environ.items() if name not in ("XLA_FLAGS", "PYTEST_ADDOPTS")}
    command = [sys.executable, "-m", "pytest", "-m", "optimised", "-p", "no:cacheprovider", test.nodeid]
    return subprocess.run(
        command, cwd=test.config.rootpath, env=environment | {FAST_COMPILING: "0"}, capture_output=True, text=True
    )


@pytest.fixture(scope="session")
def least_memory():
    """The least that this process had at the end of a module with JAX, in a list."""
    return []


@pytest.fixture(scope="module", autouse=True)
def _memory_stays_small(least_memory):
    """What JAX compiled is kept as long as the process lives: gigabytes, which slow every fork and collection."""
    yield
    if "jax" not in sys.modules:
        return
    least_memory[:] = [min([resident_memory(), *least_memory])]
    if resident_memory() > least_memory[0] + GROWTH:
        sys.modules["jax"].clear_caches()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        least_memory[:] = [resident_memory()]


def resident_memory():
    """Of this process, in MiB; 0 where it is not known, or where it cannot be given back."""
    if not sys.platform.startswith("linux"):
        return 0
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


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
