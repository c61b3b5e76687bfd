"""Worker processes on this machine."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from chunkenv.bench.run.block_player import Failure, Parcel, serve
from chunkenv.bench.run.block_queue import StudyError, Work
from chunkenv.bench.study import Block
from chunkenv.evaluate import Row
from chunkenv.utils.processes import describe_exit, ignore_interrupts


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew:
    """Worker processes, each with a pipe of its own, so that a death names the block that it interrupted.

    They are spawned, not forked: a forked worker would hold the pipes and the database of its parent open.

    Args:
        parcel: the study.
        size: how many.
    """

    def __init__(self, parcel: Parcel, size: int) -> None:
        self._parcel = parcel
        self._processes: dict[Connection, BaseProcess] = {}
        self._busy: dict[Connection, Block] = {}
        for _ in range(size):
            self._hire()

    def play(self, work: Work) -> Iterator[tuple[Block, list[Row] | Failure]]:
        """Keep every worker busy with the next block, and yield answers as they come.

        Raises:
            StudyError: if a worker ends by itself, or too many are killed over the same block.
        """
        for connection in list(self._processes):
            self._give_next(connection, work)
        while self._busy:
            for connection in multiprocessing.connection.wait(list(self._busy)):
                assert isinstance(connection, Connection), "only pipes are waited for"
                yield from self._answers(connection, work)

    def dismiss(self) -> None:
        """End all workers, in the middle of an episode if need be."""
        for process in self._processes.values():
            process.kill()
        for connection in list(self._processes):
            self._bury(connection)

    def _hire(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(self._parcel, theirs), daemon=True)
        with ignore_interrupts():
            process.start()
        theirs.close()
        self._processes[ours] = process
        return ours

    def _give_next(self, connection: Connection, work: Work) -> None:
        block = work.next()
        if block is None:
            return
        self._busy[connection] = block
        try:
            connection.send(block)
        except OSError:
            self._replace(connection, work)

    def _answers(self, connection: Connection, work: Work) -> Iterator[tuple[Block, list[Row] | Failure]]:
        """The answer that waits in a pipe; none if its worker died."""
        try:
            answer = connection.recv()
        except (EOFError, OSError):
            return self._replace(connection, work)
        block = self._busy.pop(connection)
        self._give_next(connection, work)
        yield block, answer

    def _replace(self, connection: Connection, work: Work) -> None:
        """Another worker for the one that died, unless it ended by itself: then the next one would, too."""
        block = self._busy.pop(connection)
        code = self._bury(connection)
        if code >= 0:
            raise StudyError(
                f"{block} failed: its worker process {describe_exit(code)}; a script must run studies under "
                "`if __name__ == '__main__':`."
            )
        work.take_back(block, describe_exit(code))
        self._give_next(self._hire(), work)

    def _bury(self, connection: Connection) -> int:
        """Close what is left of a worker, and return its exit code."""
        process = self._processes.pop(connection)
        process.join()
        code = process.exitcode or 0
        process.close()
        connection.close()
        return code
