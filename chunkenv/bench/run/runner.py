"""Plays the blocks of a study that lack rows, in workers; this process alone writes.

A row depends on its unit and the study's seed only, and a block is on the disk before its units are reported: a run
can be ended in any way, and the next one goes on from there to the same rows, with any number of workers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import NamedTuple

from chunkenv.bench.run.block_player import Failure, pack_study
from chunkenv.bench.run.block_queue import BlockQueue, StudyError, missing_blocks
from chunkenv.bench.run.local_executor import ProcessExecutor
from chunkenv.bench.run.ray_executor import RayExecutor
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Block, Study, Unit
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of, whole_number
from chunkenv.utils.processes import usable_cores

EXECUTORS = ("process", "ray")


class Workers(NamedTuple):
    """What plays the blocks; it changes nothing but the time.

    Attributes:
        count: how many workers, at least 1; None is one a core (of the cluster, under Ray).
        executor: of `EXECUTORS`.
        address: of a Ray cluster that runs already; None starts Ray on this machine.
    """

    count: int | None = None  # pyright: ignore[reportIncompatibleMethodOverride]
    executor: str = "process"
    address: str | None = None


def run_study(study: Study, store: Store, workers: int | Workers, command: str = "") -> Generator[Unit, None, None]:
    """Check the arguments, then play what is missing and yield each unit when its row is kept.

    A worker that is killed is replaced, and its block played again. Closing the iterator, or an exception in the
    loop over it, ends the workers; rows that are kept stay.

    Args:
        study: what to play.
        store: where rows are looked for and kept.
        workers: how many processes, at least 1, or other workers.
        command: the command line, to be noted with the rows.

    Raises:
        ArgumentError: if there are no workers, the store holds rows that must not be mixed with the study's, or the
            study cannot be sent to workers.
        MissingExtraError: if Ray is wanted and missing.
        StudyError: if a block fails, a worker ends by itself, or too many are killed over the same block.
    """
    workers = check_workers(workers if isinstance(workers, Workers) else Workers(whole_number("workers", workers, 1)))
    store.begin(study, command)
    return _run(study, store, missing_blocks(study, store), workers)


def check_workers(workers: Workers) -> Workers:
    """The same workers, if they are valid.

    Raises:
        ArgumentError: otherwise.
    """
    if workers.count is not None:
        whole_number("workers", workers.count, at_least=1)
    one_of("executor", workers.executor, EXECUTORS)
    if workers.address is not None and workers.executor != "ray":
        raise ArgumentError(f"address={workers.address!r} is that of a Ray cluster; choose the executor 'ray' with it.")
    return workers


def _run(study: Study, store: Store, todo: list[Block], workers: Workers) -> Generator[Unit, None, None]:
    if not todo:
        return
    executor = _make_executor(study, workers, len(todo))
    try:
        for block, answer in executor.play(BlockQueue(store, todo)):
            if isinstance(answer, Failure):
                raise StudyError(f"{block} failed: {answer.sentence}", answer.traceback)
            store.keep(block, answer.rows, answer.decisions)
            yield from block.units
    finally:
        executor.stop()
        with contextlib.suppress(Exception):  # what matters now is why the run ended
            store.release()


def _make_executor(study: Study, workers: Workers, blocks: int) -> ProcessExecutor | RayExecutor:
    if workers.executor == "ray":
        return RayExecutor(study, workers.count and min(workers.count, blocks), workers.address)
    return ProcessExecutor(pack_study(study), min(workers.count or usable_cores(), blocks))
