"""How far a study is: what is done, under way, missing, how fast it goes and how long it still takes."""

from __future__ import annotations

import time
from typing import NamedTuple

from chunkenv.bench.store.columns import quote
from chunkenv.bench.store.study_store import Store
from chunkenv.evaluate import Row


class Progress(NamedTuple):
    """The state of a study.

    Attributes:
        planned: episodes that the last run set out to play, and what earlier ones left.
        kept: those of them whose rows are there.
        known: those of the kept ones that say whether they were solved.
        under_way: episodes of blocks that are claimed and not finished; after kill -9, those that were being played.
        oldest_claim: seconds since the first of these was claimed.
        last_row: seconds since a block was last finished; None if none was.
        rate: episodes a second, of the run that finished a block last; None if that is not known.
        left: seconds until the end at this rate, weighing cells by their cost; None if that is not known.
        seconds: that workers spent on all finished blocks.
        tasks: episodes kept and planned by the first field of the cells, which is the task as a rule.
    """

    planned: int
    kept: int
    known: int
    under_way: int
    oldest_claim: float | None
    last_row: float | None
    rate: float | None
    left: float | None
    seconds: float
    tasks: dict[object, tuple[int, int]]


def progress(store: Store, now: float | None = None) -> Progress:
    """The state of a study as its database tells it.

    Args:
        store: the study's; another process may write to it.
        now: Unix time; None is the present.
    """
    now = time.time() if now is None else now
    cells = _cells(store)
    tasks: dict[object, tuple[int, int]] = {}
    for cell in cells:
        kept, planned = tasks.get(cell["#task"], (0, 0))
        tasks[cell["#task"]] = (kept + cell["#kept"], planned + cell["#episodes"])
    rate, speed = _speed(store)
    left = sum(cell["#cost"] * (cell["#episodes"] - cell["#kept"]) for cell in cells)
    claims = store.select(
        'SELECT TOTAL("#count") AS n, MIN("#claimed") AS first FROM blocks WHERE "#finished" IS NULL'
    )[0]
    ended = store.select('SELECT MAX("#finished") AS last, TOTAL("#finished" - "#claimed") AS seconds FROM blocks')[0]
    return Progress(
        planned=sum(planned for _, planned in tasks.values()),
        kept=sum(kept for kept, _ in tasks.values()),
        known=sum(cell["#known"] for cell in cells),
        under_way=int(claims["n"]),
        oldest_claim=None if claims["first"] is None else now - claims["first"],
        last_row=None if ended["last"] is None else now - ended["last"],
        rate=rate,
        left=left / speed if speed else None,
        seconds=ended["seconds"],
        tasks=tasks,
    )


def _cells(store: Store) -> list[Row]:
    """Each planned cell: its task, its cost, how many episodes it is to have, and has."""
    names = list(store.columns.keys)
    same = " AND ".join(f'plan."{name}" = played."{name}"' for name in names)
    return store.select(
        f'SELECT plan."{names[0]}" AS "#task", "#cost", "#episodes", COUNT(played.episode) AS "#kept", '
        f'COUNT(played.success) AS "#known" FROM plan '
        f'LEFT JOIN episodes AS played ON {same} AND played.episode < "#episodes" GROUP BY "#place" ORDER BY "#place"'
    )


def _speed(store: Store) -> tuple[float | None, float | None]:
    """Episodes and cost per second of the run that finished a block last."""
    keys = quote(store.columns.keys)
    found = store.select(
        'SELECT TOTAL("#count") AS n, TOTAL("#count" * "#cost") AS work, MAX("#finished") - MIN("#claimed") AS seconds '
        f'FROM blocks JOIN plan USING ({keys}) WHERE "#finished" IS NOT NULL AND "#runner" = '
        '(SELECT "#runner" FROM blocks WHERE "#finished" IS NOT NULL ORDER BY "#finished" DESC LIMIT 1)'
    )[0]
    if not found["seconds"]:
        return None, None
    return found["n"] / found["seconds"], found["work"] / found["seconds"]
