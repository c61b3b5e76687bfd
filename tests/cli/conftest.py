import pytest


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
