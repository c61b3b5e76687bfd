"""A collection: blocks of episodes are played, in this process or in others, until there are enough for a dataset."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from chunkenv.data.dataset import META, Dataset, load
from chunkenv.data.dataset_files import DataError, Info
from chunkenv.data.episodes import Block, Player, as_block
from chunkenv.data.shards import CollectionSize, ShardStore, remove_shards
from chunkenv.errors import ArgumentError
from chunkenv.utils.processes import begin_worker, ignore_interrupts

Progress = Callable[[int, int], object]
"""Is called with the numbers of episodes and ticks that are kept."""


class Collection:
    """A collection that is played to its end.

    Args:
        make_player: makes the player, once in each process.
        block_size: episodes in a block.
        recipe: all that decides the rows.
        out: the folder of the dataset.
        size: how much is collected.
        workers: how many processes play.
    """

    def __init__(
        self,
        make_player: Callable[[], Player],
        block_size: int,
        recipe: Info,
        out: Path,
        size: CollectionSize,
        workers: int,
    ) -> None:
        self._make_player, self._block_size, self._recipe = make_player, block_size, recipe
        self._out, self._size, self._workers = out, size, workers

    def finish(self, command: str, progress: Progress | None) -> Dataset:
        """Play what is missing, and write the dataset; or open the dataset that is there already."""
        if (self._out / META).is_file():
            return self._open_finished()
        store = ShardStore(self._out, self._block_size, self._recipe)
        episodes = self._fill(store, progress or (lambda *_: None))
        return store.write(episodes, self._recipe | {"command": command})

    def _open_finished(self) -> Dataset:
        dataset = load(self._out)
        same = all(dataset.info.get(key) == value for key, value in self._recipe.items())
        if not same or self._size.episodes_needed(dataset.episodes.length) != len(dataset.episodes.length):
            raise ArgumentError(f"{self._out} holds another dataset; choose another folder, or remove it first.")
        remove_shards(self._out)
        return dataset

    def _fill(self, store: ShardStore, progress: Progress) -> int:
        """Play until there is enough, and return how many episodes are needed."""
        progress(*store.counts)
        blocks = self._play(store.missing_blocks(self._size))
        with contextlib.closing(blocks):
            while (needed := store.episodes_needed(self._size)) is None:
                store.keep(*next(blocks))
                progress(*store.counts)
        return needed

    def _play(self, numbers: Iterator[int]) -> Generator[tuple[int, Block], None, None]:
        """Yield blocks as they are finished."""
        tasks = ((number, self._size.numbers(number, self._block_size)) for number in numbers)
        if self._workers > 1:
            yield from _play_in_workers(self._make_player, tasks, self._workers)
        else:
            player = self._make_player()
            yield from ((number, as_block(player.play(episodes), episodes)) for number, episodes in tasks)


def _play_in_workers(
    make_player: Callable[[], Player], tasks: Iterator[tuple[int, range]], workers: int
) -> Generator[tuple[int, Block], None, None]:
    """Play blocks in processes, which are spawned: a forked one would keep the files of its parent open."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_begin_playing, initargs=(make_player,))
    running: dict[Future[Block], int] = {}
    try:
        while True:
            with ignore_interrupts():
                for number, episodes in itertools.islice(tasks, workers - len(running)):
                    running[pool.submit(_play_block, episodes)] = number
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise DataError(
            "A worker process ended in the middle of a block; if memory was short, try fewer workers. What is "
            "collected is kept: the same command goes on."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_player: Player  # of a worker process


def _begin_playing(make_player: Callable[[], Player]) -> None:
    global _player
    begin_worker()
    _player = make_player()


def _play_block(episodes: range) -> Block:
    return as_block(_player.play(episodes), episodes)
