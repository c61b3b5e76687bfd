"""The blocks that a run still has to play, handed out one by one and taken back when a worker dies over them."""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from collections.abc import Iterable, Iterator

from chunkenv.bench.store.block_claims import OURS, THEIRS
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Block, Study
from chunkenv.errors import ChunkenvError

DEATHS = 3
"""How many workers may be killed over the same block before the study ends."""


class StudyError(ChunkenvError, RuntimeError):
    """A block that could not be played. `traceback` is the worker's, or empty."""

    def __init__(self, sentence: str, traceback: str = "") -> None:
        super().__init__(sentence)
        self.traceback = traceback


def missing_blocks(study: Study, store: Store) -> list[Block]:
    """What lacks a row, in order."""
    return [block for block, count in store.counts(study).items() if count < len(block.episodes)]


class BlockQueue:
    """Blocks to be played.

    Args:
        store: where each is claimed when it is handed out.
        blocks: in order.
    """

    def __init__(self, store: Store, blocks: list[Block]) -> None:
        self._ordered = AlikeFirst(blocks)
        self._waiting = claim_blocks(store, self._ordered)
        self._returned: list[Block] = []
        self._deaths: Counter[Block] = Counter()

    def next(self, before: Block | None = None) -> Block | None:
        """The next block for a worker, or None when there is nothing left to hand out.

        Args:
            before: what that worker played last.
        """
        self._ordered.like = before
        return self._returned.pop() if self._returned else next(self._waiting, None)

    def take_back(self, block: Block, death: str) -> None:
        """A worker was killed over a block: another one is to play it.

        Raises:
            StudyError: if too many were.
        """
        self._deaths[block] += 1
        if self._deaths[block] == DEATHS:
            raise StudyError(f"{block} failed: its worker process {death}, {DEATHS} times; if memory was short, "
                             "try fewer workers.")  # fmt: skip
        self._returned.append(block)


class AlikeFirst(Iterator[Block]):
    """Blocks in order, but those of one task after the other: a worker has compiled for it what the next one needs.

    Args:
        blocks: in order.

    Attributes:
        like: a block; those of its task and round come before others.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.like: Block | None = None
        self._groups: dict[tuple[int, object], deque[Block]] = {}
        for block in blocks:
            self._groups.setdefault(_round_and_task(block), deque()).append(block)

    def __next__(self) -> Block:
        if not self._groups:
            raise StopIteration
        key = None if self.like is None else _round_and_task(self.like)
        if key not in self._groups:
            key = next(iter(self._groups))
        block = self._groups[key].popleft()
        if not self._groups[key]:
            del self._groups[key]
        return block


def _round_and_task(block: Block) -> tuple[int, object]:
    """Its first episode, and the first field of its cell, which is the task in the studies of the package."""
    return block.episodes[0], dataclasses.astuple(block.cell)[0]


def claim_blocks(store: Store, blocks: Iterable[Block]) -> Iterator[Block]:
    """Claim block by block; what another run has claimed comes last, in case that run is gone or slow."""
    theirs: list[Block] = []
    for block in blocks:
        answer = store.claim(block)
        if answer == OURS:
            yield block
        elif answer == THEIRS:
            theirs.append(block)
    for block in theirs:
        if store.claim(block, also_others=True) == OURS:
            yield block
