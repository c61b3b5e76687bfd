import importlib.metadata
import sys

import pytest

from chunkenv.errors import MissingExtraError
from chunkenv.utils import extras
from chunkenv.utils.extras import EXTRAS, install_command, installed_versions, require

RENDER = next(extra for extra in EXTRAS if extra.name == "render")


def forget(monkeypatch, *names):
    """Let distributions look as if they were not installed."""
    there = importlib.metadata.version

    def version(name):
        if name in names:
            raise importlib.metadata.PackageNotFoundError(name)
        return there(name)

    monkeypatch.setattr(importlib.metadata, "version", version)


def test_a_clone_that_is_not_installed_has_a_command_of_its_own(monkeypatch):
    assert install_command("ray") == 'pip install "chunkenv[ray]"'
    forget(monkeypatch, "chunkenv")
    assert install_command("ray") == 'pip install -e ".[ray]"'
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r'^ray is not installed: run `pip install -e "\.\[ray\]"`\.$'):
        require("ray")


def test_a_module_that_another_distribution_has_installed_counts(monkeypatch):
    pytest.importorskip("pygame")
    monkeypatch.setattr(extras, "version", lambda name: {"pygame": "2.6"}.get(name, ""))
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: {"pygame": ["pygame"]})
    found = installed_versions(RENDER)
    assert found["pygame"] == "2.6"
    assert found["moviepy"] == ""


def test_a_module_that_cannot_be_imported_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    assert installed_versions(RENDER)["pygame-ce"] == ""
