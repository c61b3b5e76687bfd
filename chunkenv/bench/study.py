"""What a study is made of: cells, and functions that turn a cell into episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple, TypeAlias

from chunkenv.bench.store.columns import Columns, check_decisions, columns_of
from chunkenv.bench.store.declared_values import hold_cell, hold_settings
from chunkenv.errors import ArgumentError, brief
from chunkenv.evaluate import Policy, Row
from chunkenv.utils.checks import whole_number
from chunkenv.utils.types import AnyEnv

AnyCell: TypeAlias = Any
"""A `Cell`, or an object of a study's own frozen dataclass."""


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

    Raises:
        ArgumentError: a value that is not of its field's type.
    """

    task: str
    method: str
    delay: int
    execution_horizon: int
    prediction_horizon: int

    def __post_init__(self) -> None:
        hold_cell(self)

    def __str__(self) -> str:
        horizons = f"execution horizon {self.execution_horizon} of {self.prediction_horizon}"
        return f"{self.task}, {self.method}, delay {self.delay}, {horizons}"


class Unit(NamedTuple):
    """What has a row: one episode of one cell."""

    cell: AnyCell
    episode: int

    def __str__(self) -> str:
        return f"{self.cell}, episode {self.episode}"


class Block(NamedTuple):
    """What a worker plays in one go, and what is written in one transaction: some episodes of one cell, in order."""

    cell: AnyCell
    episodes: tuple[int, ...]

    @property
    def units(self) -> list[Unit]:
        """Its episodes, one by one."""
        return [Unit(self.cell, episode) for episode in self.episodes]

    def __str__(self) -> str:
        if len(self.episodes) == 1:
            return str(self.units[0])
        return f"{self.cell}, episodes {self.episodes[0]} to {self.episodes[-1]}"


def same_cost(cell: AnyCell) -> float:
    """Every cell takes as long as the others."""
    return 1.0


@dataclass(frozen=True)
class Study:
    """Cells, how to play them, how often, from which seed.

    Every function is at the top level of a module, because worker processes import it.

    Attributes:
        name: names the folder and the files of the results: a file's name, without a folder.
        cells: the settings, all of one frozen dataclass.
        episodes: of each cell.
        seed: of the study: episode i has the same seed in all cells, so that cells are compared on paired episodes.
        make_env: a cell's environment, a `ChunkedExecution`.
        make_policy: a cell's policy.
        play: plays episodes of a cell: `play(cell, episodes, seed)` gets their numbers and the study's seed, and
            returns a row for each, in their order, with the columns `EPISODE` of `chunkenv.evaluate` and, where
            measured, those of its `MEASURES` and of `results`. The row's `seed` is `episode_seed(seed, episode)`, and
            the row depends on nothing but cell, seed and episode: not on the episodes beside it. Without it, each
            episode is played in an environment of its own from `make_env` with a policy of its own from `make_policy`;
            with it, those two may be left out, and serve to compile before the workers start what these would compile.
        settings: what all cells share and rows depend on, as plain data; kept with the rows.
        cost: how long an episode of a cell takes, compared to other cells; it orders the work and tells the time left.
        batch: how many episodes are played in one go: blocks are the episodes [k * batch, (k + 1) * batch) of a cell.
        results: columns that this study's rows have besides the usual ones: bool, int, float or str by name.
        keep_decisions: whether the row of every decision is kept, too, and exported with the episodes. `play` then
            returns `(rows, decisions)`, these as `chunkenv.evaluate` makes them, with the numbers of the episodes.
        files: Python files that rows depend on beside those of the functions above, and what they import from their
            folders: they count to the study's fingerprint.

    Raises:
        ArgumentError: what is invalid.
    """

    name: str
    cells: tuple[AnyCell, ...]
    _: KW_ONLY
    episodes: int
    seed: int
    make_env: Callable[[AnyCell], AnyEnv] | None = None
    make_policy: Callable[[AnyCell], Policy] | None = None
    play: Callable[[AnyCell, tuple[int, ...], int], list[Row] | tuple[list[Row], list[Row]]] | None = None
    settings: Row = field(default_factory=dict)
    cost: Callable[[AnyCell], float] = same_cost
    batch: int = 1
    results: Mapping[str, type] = field(default_factory=dict)
    keep_decisions: bool = False
    files: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        _check_name(self.name)
        for name, least in (("episodes", 1), ("batch", 1), ("seed", 0)):  # Python's own, which a database takes
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least))
        if self.seed >= 2**63:
            raise ArgumentError(f"seed={self.seed} is too large; give one below 2**63, which a database can hold.")
        object.__setattr__(self, "cells", tuple(self.cells))
        self._check_cells()
        if self.play is None and (self.make_env is None or self.make_policy is None):
            raise ArgumentError(f"the study {self.name!r} cannot be played; give make_env and make_policy, or play.")
        hold_settings(self.settings)

    def _check_cells(self) -> None:
        if not self.cells:
            raise ArgumentError(f"the study {self.name!r} has no cells; give at least one.")
        kinds = dict.fromkeys(type(cell) for cell in self.cells)
        if len(kinds) > 1:
            names = " and ".join(kind.__name__ for kind in kinds)
            raise ArgumentError(f"the study {self.name!r} has cells of {names}; make all of one dataclass.")
        columns = columns_of(self.cell, self.results)
        if self.keep_decisions:
            check_decisions(columns)
        for cell in self.cells:
            hold_cell(cell)
        if self.cell.__hash__ is None:
            raise ArgumentError(f"cells of {self.cell.__name__} can change; make it with @dataclass(frozen=True).")
        if len(set(self.cells)) < len(self.cells):
            raise ArgumentError(f"the study {self.name!r} names a cell twice; give each setting once.")

    @property
    def cell(self) -> type:
        """The dataclass of the cells."""
        return type(self.cells[0])

    @property
    def columns(self) -> Columns:
        """The columns of the rows."""
        return columns_of(self.cell, self.results)

    @property
    def blocks(self) -> list[Block]:
        """All the work, in the order in which it is done.

        Every cell's first block comes before any cell's second, so that the rows of a run that was cut short are
        balanced; the long ones of a round come first, so that no worker waits for one at the end.
        """
        cells = sorted(self.cells, key=self.cost, reverse=True)
        starts = range(0, self.episodes, self.batch)
        rounds = [tuple(range(start, min(start + self.batch, self.episodes))) for start in starts]
        return [Block(cell, episodes) for episodes in rounds for cell in cells]

    @property
    def units(self) -> list[Unit]:
        """Every episode, in the order in which it is played."""
        return [unit for block in self.blocks for unit in block.units]


def _check_name(name: object) -> None:
    """Refuse what is no name of a folder: results would lie elsewhere."""
    if (
        not isinstance(name, str)
        or not name.strip(". ")
        or not name.isprintable()
        or not name == PurePosixPath(name).name == PureWindowsPath(name).name
    ):
        raise ArgumentError(
            f"name={brief(name)} cannot name a study's folder; give a file's name, without folders and line breaks."
        )
