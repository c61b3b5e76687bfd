"""Plays the units of a study that have no row yet, in worker processes; this process alone writes.

A row depends on its unit and the study's seed only, and is on the disk before the next is asked for: a run can be ended
in any way, and the next one goes on from there to the same rows, with any number of workers.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
from collections.abc import Generator, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from chunkenv.bench.store import Store
from chunkenv.bench.study import Study, Unit
from chunkenv.bench.worker import Failure, serve
from chunkenv.checks import whole_number
from chunkenv.errors import ChunkenvError
from chunkenv.evaluate import Row
from chunkenv.workers import deaf_to_interrupts, how_it_ended


class StudyError(ChunkenvError, RuntimeError):
    """A unit that could not be played. `traceback` is the worker's, or empty."""

    def __init__(self, sentence: str, traceback: str = "") -> None:
        super().__init__(sentence)
        self.traceback = traceback


def missing_units(study: Study, store: Store) -> list[Unit]:
    """What is still to be played, in order."""
    done = store.done()
    return [unit for unit in study.units if unit not in done]


def run(study: Study, store: Store, workers: int) -> Generator[Unit, None, None]:
    """Check the arguments, then play what is missing and yield each unit when its row is kept.

    Closing the iterator, or an exception in whoever iterates, ends the workers; rows that are kept stay.

    Args:
        study: what to play.
        store: where rows are looked for and kept.
        workers: how many processes, at least 1; they change nothing but the time.

    Raises:
        ArgumentError: if workers is less than 1, or the store holds rows that must not be mixed with the study's.
        StudyError: if a unit fails or a worker dies.
    """
    whole_number("workers", workers, at_least=1)
    store.begin(study)
    return _run(study, store, missing_units(study, store), workers)


def _run(study: Study, store: Store, todo: list[Unit], workers: int) -> Generator[Unit, None, None]:
    crew = _Crew(study, min(workers, len(todo)))
    try:
        for unit, row in crew.play(todo):
            store.add(unit, row)
            yield unit
    finally:
        crew.dismiss()


class _Crew:
    """Worker processes, each with a pipe of its own, so that a death names the unit that it interrupted.

    They are spawned, not forked: a forked worker would hold the pipes and the database of its parent open.
    """

    def __init__(self, study: Study, size: int) -> None:
        self._processes: dict[Connection, BaseProcess] = {}
        self._busy: dict[Connection, Unit] = {}
        with deaf_to_interrupts():
            for _ in range(size):
                self._hire(study)

    def play(self, todo: list[Unit]) -> Iterator[tuple[Unit, Row]]:
        """Keep every worker busy with the next unit, and yield rows as they come."""
        waiting = iter(todo)
        for connection in self._processes:
            self._give_next(connection, waiting)
        while self._busy:
            for connection in multiprocessing.connection.wait(list(self._busy)):
                unit = self._busy.pop(connection)  # pyright: ignore[reportArgumentType]
                row = self._row(connection, unit)  # pyright: ignore[reportArgumentType]
                self._give_next(connection, waiting)  # pyright: ignore[reportArgumentType]
                yield unit, row

    def dismiss(self) -> None:
        """End all workers, in the middle of an episode if need be."""
        for process in self._processes.values():
            process.kill()
        for connection, process in self._processes.items():
            process.join()
            process.close()
            connection.close()
        self._processes.clear()

    def _hire(self, study: Study) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(study, theirs), daemon=True)
        process.start()
        theirs.close()
        self._processes[ours] = process

    def _give_next(self, connection: Connection, waiting: Iterator[Unit]) -> None:
        unit = next(waiting, None)
        if unit is None:
            return
        try:
            connection.send(unit)
        except OSError as error:
            raise self._death(connection, unit) from error
        self._busy[connection] = unit

    def _row(self, connection: Connection, unit: Unit) -> Row:
        try:
            answer = connection.recv()
        except (EOFError, OSError) as error:
            raise self._death(connection, unit) from error
        if isinstance(answer, Failure):
            raise StudyError(f"{unit} failed: {answer.sentence}", answer.traceback)
        return answer

    def _death(self, connection: Connection, unit: Unit) -> StudyError:
        process = self._processes[connection]
        process.join()
        how = how_it_ended(process.exitcode or 0)
        if "SIGKILL" in how:
            how += "; if memory was short, try fewer workers"
        elif "exit code" in how:
            how += "; a script must run studies under `if __name__ == '__main__':`"
        return StudyError(f"{unit} failed: its worker process {how}.")
