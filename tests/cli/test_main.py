import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.calling import run


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_its_own_needs_the_command_says_what_to_install(without, module):
    result = run("tasks", PYTHONPATH=without(module))
    assert result.returncode == 1
    sentence = f'the command needs {module}, which is not installed: run `pip install "chunkenv[bench]"`.\n'
    assert result.stderr == sentence


def test_no_command_shows_the_help():
    assert "Start with: chunkenv bench delay --quick" in " ".join(run().stdout.split())


def test_an_unknown_command_is_refused():
    result = run("benhc")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


@pytest.mark.no_cover
def test_the_command_is_installed():
    script = Path(sys.executable).parent / "chunkenv"
    if not script.exists():
        pytest.skip("the package is not installed with its script")
    assert subprocess.run([script, "doctor"], capture_output=True, timeout=60).returncode == 0
