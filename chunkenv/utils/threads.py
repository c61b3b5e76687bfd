"""Many rows in several threads: the kernels release the GIL, so slices of a batch run side by side."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from itertools import pairwise

from chunkenv.utils.processes import usable_cores

SHARES = 4  # slices for each thread, where there are rows enough
LEAST = 4  # groups of rows in a slice that is worth being taken by itself


def side_by_side(work: Callable[[int, int], None], n: int, threads: int, group: int = 1) -> None:
    """Call `work(start, end)` on slices of n rows, in this thread and in those of a pool that this process keeps.

    A thread that has done a slice takes the next one, because cores are not equally fast, nor equally free. It returns
    when all have ended. With `threads=1` none is started.

    Args:
        work: what is called with the start and the end of a slice.
        n: how many rows.
        threads: at most how many.
        group: rows that are worked on together, and stay in one slice.

    >>> side_by_side(lambda start, end: print(start, end), n=20, threads=1)
    0 20
    """
    if threads == 1 or len(slices(n, threads, group)) == 1:
        work(0, n)
        return
    waiting = deque(slices(n, max(threads, min(threads * SHARES, n // (LEAST * group))), group))

    def take() -> None:
        while waiting:
            try:
                start, end = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            work(start, end)

    running = [_pool(os.getpid()).submit(take) for _ in range(min(threads, len(waiting)) - 1)]
    try:
        take()
    finally:
        wait(running)  # before anything is raised: they write where the caller will look
    for future in running:
        future.result()


def slices(n: int, threads: int, group: int = 1) -> list[tuple[int, int]]:
    """At most `threads` parts of range(n), almost equal; of whole groups of rows, if there are any.

    >>> slices(20, 2, group=8), slices(3, 2, group=8), slices(0, 2)
    ([(0, 16), (16, 20)], [(0, 2), (2, 3)], [(0, 0)])
    """
    unit = group if n >= group else 1
    units = -(-n // unit)
    parts = max(1, min(threads, units))
    bounds = [min(n, -(-units * k // parts) * unit) for k in range(parts + 1)]
    return list(pairwise(bounds))


@cache
def _pool(_process: int) -> ThreadPoolExecutor:
    """The threads of a process: one that was forked has none of its parent's, and gets its own."""
    return ThreadPoolExecutor(usable_cores(), thread_name_prefix="chunkenv")
