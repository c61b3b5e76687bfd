"""How the kernels are compiled and loaded: lazily, with a clear error without numba, within bounds."""

import os
import re
import subprocess
import sys

import pytest

from chunkenv.manipulation.engine import ticks
from chunkenv.utils.compile import sources_beside

SOURCES = sources_beside(ticks.__file__)

SHORT_RUN = """
import gymnasium as gym, numpy as np
import chunkenv

for family in ("cube-octuple", "scene", "puzzle-4x6"):
    envs = gym.make_vec(f"chunkenv/manip-{family}-v0", 2, threads=2)
    envs.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1, 1, (2, 30, 5)).astype(np.float32)
    played = envs.play(actions, np.array([30, 20]), every_tick=True)
    print(family, *played.rewards.ravel().tolist(), *envs.get_states().ravel().tolist())
"""


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=500
    )


def short_run(**environment):
    done = run(SHORT_RUN, **environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_importing_the_package_imports_neither_numba_nor_mujoco():
    code = (
        "import sys, chunkenv, chunkenv.manipulation; sys.exit(bool({'numba', 'mujoco', 'ogbench'} & {*sys.modules}))"
    )
    assert run(code).returncode == 0


def test_without_numba_one_sentence():
    done = run("import sys; sys.modules['numba'] = None; import chunkenv.manipulation.vector_env")
    assert done.stderr.splitlines()[-1].endswith(
        'needs numba, which is not installed: run `pip install "chunkenv[manipulation]"`.'
    )


def test_the_sources_are_all_that_kernels_import():
    names = {path.name for path in SOURCES}
    for path in SOURCES:
        for other in re.findall(r"from chunkenv\.manipulation\.engine(?:\.| import )(\w+)", path.read_text()):
            assert f"{other}.py" in names


@pytest.mark.slow
def test_no_kernel_reaches_beyond_an_array(tmp_path):
    assert short_run(NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(tmp_path)) == short_run()
