"""Workers under Ray: on this machine, or on a cluster (extra `ray`)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any, TypeAlias

from chunkenv.bench.run.block_player import BlockPlayer, BlockRows, Failure, pack_study
from chunkenv.bench.run.block_queue import BlockQueue
from chunkenv.bench.study import Block, Study
from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import require
from chunkenv.utils.processes import keep_signals

LOCAL_MEMORY = 100 * 2**20
"""Bytes of shared memory for a Ray of our own: rows are small, and Ray's default is a third of the machine's memory."""


Handle: TypeAlias = Any
"""Of an actor, or of an answer that an actor will give: Ray has no types for them."""


class RayExecutor:
    """Actors of one CPU each. A Ray that was started for them ends with them.

    Args:
        study: what they play.
        size: how many, or None for as many as there are CPUs; not more than those in any case.
        address: of a running cluster, as `ray.init` takes it; None uses the Ray that this process is connected to, or
            else starts one on this machine.

    Raises:
        MissingExtraError: if Ray is missing.
        ArgumentError: if there is no cluster, or the study cannot be sent.
    """

    def __init__(self, study: Study, size: int | None, address: str | None) -> None:
        require("ray")
        import ray

        self._ray: Any = ray
        self._ours = not ray.is_initialized()
        if self._ours:
            _connect(ray, size, address)
        # By value where a study is written in a script: the script is no module that a worker could import.
        self._packed = ray.put(pack_study(study, self._ray.cloudpickle.dumps))
        self._busy: dict[Handle, tuple[Handle, Block]] = {}
        cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._players = [self._start() for _ in range(min(size or cpus, cpus))]

    def play(self, queue: BlockQueue) -> Iterator[tuple[Block, BlockRows | Failure]]:
        """Keep every actor busy with the next block, and yield answers as they come.

        Raises:
            StudyError: if too many actors died over the same block.
        """
        for player in self._players:
            self._give_next(player, queue)
        while self._busy:
            (answer, *_), _ = self._ray.wait(list(self._busy))
            yield from self._receive(answer, queue)

    def stop(self) -> None:
        """End all actors, in the middle of an episode if need be."""
        if self._ours:
            self._ray.shutdown()
            return
        for player in self._players:
            self._ray.kill(player)

    def _start(self) -> Handle:
        return self._ray.remote(num_cpus=1)(BlockPlayer).remote(self._packed)

    def _give_next(self, player: Handle, queue: BlockQueue, before: Block | None = None) -> None:
        block = queue.next(before)
        if block is not None:
            self._busy[player.answer.remote(block)] = (player, block)

    def _receive(self, answer: Handle, queue: BlockQueue) -> Iterator[tuple[Block, BlockRows | Failure]]:
        """The answer that has come; none if its actor died."""
        player, block = self._busy.pop(answer)
        try:
            rows = self._ray.get(answer)
        except self._ray.exceptions.RayActorError:
            queue.take_back(block, "died under Ray")
            self._players.remove(player)
            self._players.append(self._start())
            return self._give_next(self._players[-1], queue)
        self._give_next(player, queue, block)
        yield block, rows


def _connect(ray: Any, size: int | None, address: str | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # users were not asked
    local = {"num_cpus": size, "include_dashboard": False, "object_store_memory": LOCAL_MEMORY}
    try:
        if address:
            _check_reachable(address)
        with keep_signals():  # Ray's own handler would end this process before claims are released
            ray.init(
                address=address or "local", log_to_driver=False, logging_level="error", **({} if address else local)
            )
    except (OSError, RuntimeError, ValueError) as error:
        if address is None:
            raise ArgumentError(f"Ray cannot be started here ({error}); use --executor process.") from error
        sentence = f"there is no Ray cluster at {address!r} ({error})"
        raise ArgumentError(f"{sentence}; start one by `ray start --head`, or leave --address out.") from error


def _check_reachable(address: str) -> None:
    """Find out within seconds whether a server answers at HOST:PORT: Ray tries for ten minutes.

    Raises:
        OSError: if none does.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=10).close()
