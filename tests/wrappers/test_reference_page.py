"""docs/reference/chunked_execution.md names every argument, field and key, and no other."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import gymnasium as gym
import numpy as np

from chunkenv import ChunkedExecution, Request
from chunkenv.latency import Streamed
from chunkenv.latency.model import MODELS
from chunkenv.vector import VectorRequest, read_decisions
from chunkenv.wrappers import ChunkOptions

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "chunked_execution.md").read_text(encoding="utf-8")


def rows(title: str) -> dict[str, list[str]]:
    """The cells of the rows of a section's table, by the names in the first of them."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    return {name: row for row in cells for name in re.findall(r"`(\w+)`", row[0])}


def test_every_argument_is_explained_with_its_default():
    shown = rows("Arguments")
    options = [option for option in fields(ChunkOptions) if option.name != "_"]
    assert list(shown) == [option.name for option in options]
    for option in options:
        default = "" if option.default is MISSING else str(option.default)
        assert re.sub('[`"]', "", shown[option.name][2]).strip() == default, option.name


def test_every_field_of_a_request_is_explained():
    assert tuple(rows("The request")) == Request._fields
    assert not [name for name in VectorRequest._fields if f"`{name}`" not in PAGE]


def test_every_latency_model_is_named():
    named = {name for page in ("chunked_execution", "latency") for name in models_on(page)}
    assert named == {place.split(":")[1] for place in MODELS.values()} - {"Sum"}
    assert models_on("latency") == models_on("chunked_execution")


def models_on(page: str) -> list[str]:
    """The classes in the first table of latency models on a page."""
    text = (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([A-Z]\w+)\(", text, re.MULTILINE)


def correct(observation, row, row_index, tick, rng):
    return np.zeros(1, np.float32)


CASES = [
    {"execution_horizon": 4, "info": "full", "correction": correct},
    {"execution_horizon": (2, 4)},
    {"execution_horizon": 4, "latency": Streamed((0.0, 0.0, 0.05, 0.05))},
    {"execution_horizon": 2, "latency": 4, "max_in_flight": 2},
]


class Solved(gym.Wrapper):
    """Says that each tick is a success."""

    def step(self, action):
        """As the wrapped environment."""
        *rest, info = self.env.step(action)
        return *rest, info | {"success": True}


def test_every_key_of_info_is_explained():
    found = set()
    for case in CASES:
        env = ChunkedExecution(Solved(gym.make("Pendulum-v1")), 8, **case)
        env.reset(seed=0)
        env.action_space.seed(0)
        for _ in range(3):
            found |= set(env.step(env.action_space.sample())[4])
    assert found - {"success"} == set(rows("What `info` holds")) - {"fault"}


def test_every_part_of_the_observation_is_explained():
    several = {"execution_horizon": 2, "latency": 4, "max_in_flight": 2}
    parts = ChunkedExecution(gym.make("Pendulum-v1"), 8, observe_prefix=True, **several).observation_space.spaces
    flat = ChunkedExecution(gym.make("Pendulum-v1"), 8, observe_prefix="flat", **several).observation_space
    assert set(parts) == set(rows("The observation with the prefix"))
    assert flat.shape == (sum(gym.spaces.flatdim(space) for space in parts.values()),)
    assert list(parts) == re.findall(r"`(\w+)`", PAGE.split("the order is ")[1].split(":")[0])


def test_every_field_of_decisions_is_explained():
    page = (DOCS / "howto" / "training_loops.md").read_text(encoding="utf-8")
    decisions = read_decisions.__annotations__["return"]
    named = decisions if isinstance(decisions, type) else read_decisions.__globals__[decisions]
    assert not [name for name in named._fields if f"`{name}`" not in page]
