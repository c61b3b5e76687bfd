"""Plays the blocks of a study that lack rows, in workers; this process alone writes.

A row depends on its unit and the study's seed only, and a block is on the disk before its unit is told of: a run can be
ended in any way, and the next one goes on from there to the same rows, with any number of workers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from chunkenv.bench.crew import Crew
from chunkenv.bench.store import Store
from chunkenv.bench.study import Block, Study, Unit
from chunkenv.bench.work import StudyError, Work, missing_blocks
from chunkenv.bench.worker import Failure, Parcel, pack
from chunkenv.checks import whole_number

__all__ = ["StudyError", "missing_blocks", "run"]


def run(study: Study, store: Store, workers: int, command: str = "") -> Generator[Unit, None, None]:
    """Check the arguments, then play what is missing and yield each unit when its row is kept.

    A worker that is killed is replaced, and its block played again. Closing the iterator, or an exception in whoever
    iterates, ends the workers; rows that are kept stay.

    Args:
        study: what to play.
        store: where rows are looked for and kept.
        workers: how many processes, at least 1; they change nothing but the time.
        command: the command line, to be noted with the rows.

    Raises:
        ArgumentError: if workers is less than 1, the store holds rows that must not be mixed with the study's, or the
            study cannot be sent to workers.
        StudyError: if a block fails, a worker ends by itself, or too many are killed over the same block.
    """
    whole_number("workers", workers, at_least=1)
    parcel = pack(study)
    store.begin(study, command)
    return _run(parcel, store, missing_blocks(study, store), workers)


def _run(parcel: Parcel, store: Store, todo: list[Block], workers: int) -> Generator[Unit, None, None]:
    crew = Crew(parcel, min(workers, len(todo)))
    try:
        for block, answer in crew.play(Work(store, todo)):
            if isinstance(answer, Failure):
                raise StudyError(f"{block} failed: {answer.sentence}", answer.traceback)
            store.keep(block, answer)
            yield from block.units
    finally:
        crew.dismiss()
        with contextlib.suppress(Exception):  # what matters now is why the run ended
            store.release()
