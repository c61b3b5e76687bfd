"""The page of the strategies names every one, and the gallery draws it."""

import runpy
from pathlib import Path

import pytest

from chunkenv import strategies

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "strategies.md").read_text()


KINDS = [kind for kind in vars(strategies).values() if isinstance(kind, type)]
STRATEGIES = {kind for kind in KINDS if issubclass(kind, strategies.Strategy)} - {strategies.Strategy}


def test_every_strategy_is_in_the_table():
    assert not [kind.__name__ for kind in STRATEGIES if f"| `{kind.__name__}` |" not in PAGE]


@pytest.fixture
def drawing(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(DOCS)
    names = runpy.run_path(str(DOCS / "draw_strategies.py"))
    yield names
    names["plt"].close("all")


def test_every_strategy_is_drawn_for_the_gallery(drawing):
    policies = {"strategies": "Gaussian", "strategies_horizons": "Gaussian", "strategies_goals": "Pursuer"}
    drawn = {
        type(make(drawing[policies[name]]()))
        for name, (parts, _, _) in drawing["PICTURES"].items()
        for make in parts.values()
    }
    assert drawn == STRATEGIES


def test_a_picture_shows_every_tick(drawing):
    parts, draw_one, label = drawing["PICTURES"]["strategies_goals"]
    axes = drawing["draw"](dict(list(parts.items())[:2]), draw_one, label).axes
    assert [len(axis.collections[0].get_offsets()) for axis in axes] == [40, 40]
