"""How the kernels are compiled and loaded: lazily, with a clear error without numba, in plain Python, within bounds."""

import os
import re
import subprocess
import sys

import pytest

from chunkenv.kinetix.engine import kernels
from chunkenv.utils.compile import sources_beside

SOURCES = sources_beside(kernels.__file__)

SHORT_RUN = """
import numpy as np
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine import kernels, layout
from chunkenv.kinetix.engine.build import build_level, build_state
from chunkenv.kinetix.level import load_level

def records(array):
    return array.view(np.recarray) if DISABLED else array

for name in LEVELS:
    scene = load_level(name)
    level, state, scratch = (records(x) for x in (build_level(scene), build_state(scene), np.zeros(1, layout.SCRATCH)))
    observation = np.zeros(679, np.float32)
    kernels.place_all(level, state, scratch)
    for action in np.random.default_rng(0).uniform(-1, 1, (TICKS, 6)).astype(np.float32):
        kernels.step(level, state, scratch, action, observation)
    print(name, *observation.tolist())
"""

SHORT_PLAY = """
import numpy as np
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.simulator import Simulator

for name in LEVELS:
    engine = Simulator(name)
    actions = np.random.default_rng(0).uniform(-1, 1, (13, 1, 6)).repeat(60, axis=1)
    result = engine.rollout(engine.initial_state(), actions, observations=True)
    print(name, *result.ends, *result.observations[:, -1].ravel().tolist())
"""


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=500
    )


def short_run(ticks, disabled, **environment):
    done = run(f"DISABLED, TICKS = {disabled}, {ticks}\n{SHORT_RUN}", **environment)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line.split() for line in done.stdout.splitlines()]
    return {name: [float(x) for x in numbers] for name, *numbers in lines}


def test_importing_the_package_imports_no_numba():
    code = "import sys, chunkenv, chunkenv.kinetix; sys.exit('numba' in sys.modules)"
    assert run(code).returncode == 0


def test_without_numba_the_error_says_what_to_install():
    code = "import sys; sys.modules['numba'] = None\nimport gymnasium, chunkenv\n"
    done = run(code + "gymnasium.make('chunkenv/kinetix-catapult-v0')")
    assert "MissingExtraError" in done.stderr
    assert 'pip install "chunkenv[kinetix]"' in done.stderr


def test_the_sources_are_all_that_kernels_import():
    names = {path.name for path in SOURCES}
    for path in SOURCES:
        for other in re.findall(r"from chunkenv\.kinetix\.engine(?:\.| import )(\w+)", path.read_text()):
            assert f"{other}.py" in names


@pytest.mark.no_cover
def test_plain_python_does_the_same():
    """NUMBA_DISABLE_JIT=1 runs the same source without numba: for debugging, and to see that it means what it says."""
    python = short_run(3, True, NUMBA_DISABLE_JIT="1")
    numba = short_run(3, False)
    assert python.keys() == numba.keys()
    for name, features in numba.items():
        assert python[name] == pytest.approx(features, abs=1e-4), name


@pytest.mark.slow
def test_no_index_is_out_of_bounds(tmp_path):
    """Compiled with bounds checks, which are off otherwise, into a cache of its own."""
    checked = short_run(200, False, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(tmp_path))
    assert checked == short_run(200, False)


@pytest.mark.slow
def test_no_index_is_out_of_bounds_in_a_batch(tmp_path):
    """As above, with groups and some that are left over."""
    plain = run(SHORT_PLAY)
    checked = run(SHORT_PLAY, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(tmp_path))
    assert (plain.returncode, checked.returncode) == (0, 0), checked.stderr[-2000:]
    assert checked.stdout == plain.stdout
