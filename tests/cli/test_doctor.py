import importlib.metadata
import re

import pytest

from chunkenv.utils.extras import EXTRAS
from tests.cli.calling import invoke, run


def test_the_doctor_finds_everything_here():
    result = invoke("doctor")
    assert result.exit_code == 0
    for name in ("gymnasium", "numba", "typer", "matplotlib", "pyarrow", "pygame", "stable-baselines3"):
        assert name in result.output
    missing = re.findall(r"(\S+) missing +│", result.output)
    assert set(missing) <= {"kinetix-env"}  # which the extra "all" leaves out


@pytest.mark.no_cover
@pytest.mark.parametrize("columns", ["20", "40", "120"])
def test_the_doctor_says_what_is_missing(without, columns):
    result = run("doctor", PYTHONPATH=without("numba"), COLUMNS=columns)
    assert result.returncode == 0
    assert re.search(r"numba\s+missing", result.stdout)
    assert '\n  pip install "chunkenv[kinetix]"\n' in result.stdout
    assert all(re.search(rf"\b{extra.name}\b", result.stdout) for extra in EXTRAS)


@pytest.mark.parametrize("both", [True, False])
def test_two_that_write_the_same_folder_are_named(both, monkeypatch):
    there = importlib.metadata.version

    def version(name):
        if name == "pygame" and not both:
            raise importlib.metadata.PackageNotFoundError
        return "2.6" if name.startswith("pygame") else there(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert ("overwrite each other's files" in invoke("doctor").output) == both
