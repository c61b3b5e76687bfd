"""Without ogbench or MuJoCo: one sentence, and the ids are still there."""

import os
import subprocess
import sys

import pytest

CODE = """
import sys
sys.modules[{module!r}] = None
import gymnasium, chunkenv
from chunkenv.errors import MissingExtraError
try:
    gymnasium.make("chunkenv/manip-cube-single-task1-v0")
except MissingExtraError as error:
    print(error)
"""


@pytest.mark.parametrize("module", ["ogbench", "mujoco"])
def test_what_is_missing_is_named(module):
    result = subprocess.run([sys.executable, "-c", CODE.format(module=module)], capture_output=True, text=True)
    assert result.stdout == f'{module} is not installed: run `pip install "chunkenv[manipulation]"`.\n', result.stderr


@pytest.mark.parametrize("way", ["osmesa", "crayons"])
def test_a_way_of_drawing_that_is_not_there_is_one_sentence(way):
    """MuJoCo itself does not import then, whether anything is drawn or not."""
    code = CODE.format(module="nothing")
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"MUJOCO_GL": way}
    )
    assert result.returncode == 0, result.stderr
    if result.stdout:  # where OSMesa is installed, it works
        assert result.stdout.startswith(f"MuJoCo does not start with MUJOCO_GL={way!r}")
    else:
        assert way == "osmesa"


def test_importing_the_library_is_silent():
    code = "import warnings; warnings.simplefilter('error'); import chunkenv.manipulation.scene.ogbench_imports"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
