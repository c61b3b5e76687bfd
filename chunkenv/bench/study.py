"""What a study is made of: cells, and two functions that turn a cell into an environment and a policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import gymnasium as gym

from chunkenv.checks import whole_number
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import Policy


@dataclass(frozen=True)
class Cell:
    """One setting, played for some episodes. Its fields are columns of the table `episodes`.

    A study with more to say about its settings uses a frozen dataclass of its own, with int, float and str fields.

    Attributes:
        task: name of the task.
        method: name of the policy.
        delay: of every inference, in ticks.
        execution_horizon: ticks between two requests.
        prediction_horizon: rows in a chunk.
    """

    task: str
    method: str
    delay: int
    execution_horizon: int
    prediction_horizon: int

    def __str__(self) -> str:
        horizons = f"execution horizon {self.execution_horizon} of {self.prediction_horizon}"
        return f"{self.task}, {self.method}, delay {self.delay}, {horizons}"


class Unit(NamedTuple):
    """The smallest piece of work: one episode of one cell."""

    cell: Any
    episode: int

    def __str__(self) -> str:
        return f"{self.cell}, episode {self.episode}"


def same_cost(cell: Any) -> float:
    """Every cell takes as long as the others."""
    return 1.0


@dataclass(frozen=True)
class Study:
    """Cells, how to play them, how often, from which seed.

    Attributes:
        name: names the folder and the files of the results.
        cells: the settings, all of one frozen dataclass.
        make_env: a cell's environment, a `ChunkedExecution`. A function at the top level of a module, because worker
            processes import it.
        make_policy: a cell's policy; likewise.
        episodes: of each cell.
        seed: of the study: episode i has the same seed in all cells, so that cells are compared on paired episodes.
        settings: what all cells share and rows depend on, as plain data; kept with the rows.
        cost: how long an episode of a cell takes, compared to other cells; it orders the work and tells the time left.
    """

    name: str
    cells: tuple[Any, ...]
    make_env: Callable[[Any], gym.Env[Any, Any]]
    make_policy: Callable[[Any], Policy]
    episodes: int
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    cost: Callable[[Any], float] = same_cost

    def __post_init__(self) -> None:
        whole_number("episodes", self.episodes, at_least=1)
        if whole_number("seed", self.seed, at_least=0) >= 2**63:
            raise ArgumentError(f"seed={self.seed} is too large; give one below 2**63, which a database can hold.")
        if not self.cells:
            raise ArgumentError(f"the study {self.name!r} has no cells; give at least one.")
        if len(set(self.cells)) < len(self.cells):
            raise ArgumentError(f"the study {self.name!r} names a cell twice; give each setting once.")

    @property
    def units(self) -> list[Unit]:
        """All the work, in the order in which it is done.

        Every cell's episode 0 comes before any cell's episode 1, so that the rows of a run that was cut short are
        balanced; the long ones of a round come first, so that no worker waits for one at the end.
        """
        cells = sorted(self.cells, key=self.cost, reverse=True)
        return [Unit(cell, episode) for episode in range(self.episodes) for cell in cells]
