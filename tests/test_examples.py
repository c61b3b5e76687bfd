"""Every example runs, as its user would run it; those that train are in tests/sb3/test_examples.py."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted(
    path for path in (Path(__file__).parents[1] / "examples").glob("*.py") if not path.stem.startswith("sb3_")
)


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path):
    run = subprocess.run([sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert run.stdout
    assert not run.stderr
