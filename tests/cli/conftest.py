from functools import cache

import pytest
import typer.testing
from typer.main import get_command


def blocked(*modules):
    """A folder whose sitecustomize makes modules look missing."""
    lines = ["import sys", *(f"sys.modules[{module!r}] = None" for module in modules)]
    return "\n".join(lines)


@pytest.fixture
def without(tmp_path):
    def path(*modules):
        (tmp_path / "sitecustomize.py").write_text(blocked(*modules))
        return str(tmp_path)

    return path


@pytest.fixture(scope="session", autouse=True)
def _commands_are_built_once():
    """Typer's runner builds all commands anew at every call, which takes longer than most calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(get_command))
        yield
