"""The blocks that a run still has to play, handed out one by one and taken back when a worker dies over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

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
        self._waiting = claim_blocks(store, blocks)
        self._returned: list[Block] = []
        self._deaths: Counter[Block] = Counter()

    def next(self) -> Block | None:
        """The next block, or None when there is nothing left to hand out."""
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


def claim_blocks(store: Store, blocks: list[Block]) -> Iterator[Block]:
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
