"""Without ogbench or MuJoCo: one sentence, and the ids are still there."""

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


def test_importing_the_library_is_silent():
    code = "import warnings; warnings.simplefilter('error'); import chunkenv.manipulation.library"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
