"""Worker processes on this machine."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from chunkenv.bench.run.block_player import BlockRows, Failure, PackedStudy, serve
from chunkenv.bench.run.block_queue import BlockQueue, StudyError
from chunkenv.bench.study import Block
from chunkenv.utils.processes import describe_exit, ignore_interrupts


class ProcessExecutor:
    """Worker processes, each with a pipe of its own, so that a death names the block that it interrupted.

    They are spawned, not forked: a forked worker would hold the pipes and the database of its parent open.

    Args:
        packed: the study.
        size: how many.
    """

    def __init__(self, packed: PackedStudy, size: int) -> None:
        self._packed = packed
        self._processes: dict[Connection, BaseProcess] = {}
        self._busy: dict[Connection, Block] = {}
        for _ in range(size):
            self._start()

    def play(self, queue: BlockQueue) -> Iterator[tuple[Block, BlockRows | Failure]]:
        """Keep every worker busy with the next block, and yield answers as they come.

        Raises:
            StudyError: if a worker ends by itself, or too many are killed over the same block.
        """
        for connection in list(self._processes):
            self._give_next(connection, queue)
        while self._busy:
            for connection in multiprocessing.connection.wait(list(self._busy)):
                assert isinstance(connection, Connection), "only pipes are waited for"
                yield from self._receive(connection, queue)

    def stop(self) -> None:
        """End all workers, in the middle of an episode if need be."""
        for process in self._processes.values():
            process.kill()
        for connection in list(self._processes):
            self._reap(connection)

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(self._packed, theirs), daemon=True)
        with ignore_interrupts():
            process.start()
        theirs.close()
        self._processes[ours] = process
        return ours

    def _give_next(self, connection: Connection, queue: BlockQueue, before: Block | None = None) -> None:
        block = queue.next(before)
        if block is None:
            return
        self._busy[connection] = block
        try:
            connection.send(block)
        except OSError:
            self._replace(connection, queue)

    def _receive(self, connection: Connection, queue: BlockQueue) -> Iterator[tuple[Block, BlockRows | Failure]]:
        """The answer that waits in a pipe; none if its worker died."""
        try:
            answer = connection.recv()
        except (EOFError, OSError):
            return self._replace(connection, queue)
        block = self._busy.pop(connection)
        self._give_next(connection, queue, block)
        yield block, answer

    def _replace(self, connection: Connection, queue: BlockQueue) -> None:
        """Another worker for the one that died, unless it ended by itself: then the next one would, too."""
        block = self._busy.pop(connection)
        code = self._reap(connection)
        if code >= 0:
            raise StudyError(
                f"{block} failed: its worker process {describe_exit(code)}; a script must run studies under "
                "`if __name__ == '__main__':`."
            )
        queue.take_back(block, describe_exit(code))
        self._give_next(self._start(), queue)

    def _reap(self, connection: Connection) -> int:
        """Close what is left of a worker, and return its exit code."""
        process = self._processes.pop(connection)
        process.join()
        code = process.exitcode or 0
        process.close()
        connection.close()
        return code
