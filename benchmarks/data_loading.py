"""The time to open a dataset and to draw chunk windows from it: are data the bottleneck of training?

    python benchmarks/data_loading.py                      (a million random transitions, written and removed again)
    python benchmarks/data_loading.py --data FOLDER        (a dataset that `chunkenv data collect` wrote)

Every figure is the best of several repeats, in CPU seconds: one core, independent of other load.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from chunkenv.data import Dataset, Windows, load
from chunkenv.data.dataset import ShardSlice, write_dataset
from chunkenv.data.episodes import Episode, as_block

BATCH = 512
HORIZON = 8
REPEATS = 5


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of a dataset; a million random transitions if not given")
    parser.add_argument("--observation", type=int, default=35, help="length of a random observation")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if options.data is None:
            made_up(folder, transitions=1_000_000, size=options.observation)
        report(folder)


def made_up(folder: Path, transitions: int, size: int, length: int = 100) -> None:
    """Write a dataset of random numbers."""
    rng = np.random.default_rng(0)
    seen = rng.standard_normal((length + 1, size)).astype(np.float32)
    actions, rewards = rng.standard_normal((length, 6)).astype(np.float32), np.zeros(length, np.float32)
    block = as_block([Episode(seen, actions, rewards, True, True, 0, 0)] * 100)
    slices = [ShardSlice(block.__getitem__, 100 * length, 100)] * (transitions // (100 * length))
    write_dataset(
        folder, slices, {"level": None, "observation": None, "experts": [{"name": "made up"}], "noise": 0, "seed": 0}
    )


def report(folder: Path) -> None:
    """Measure one dataset."""
    dataset = load(folder)
    windows = Windows(dataset, HORIZON)
    rng = np.random.default_rng(0)
    windows.sample(rng, len(windows))  # read everything once, so that no disk access is measured
    print(f"{len(dataset):,} transitions, observation {dataset.observations.shape[1]}, H = {HORIZON}, batch {BATCH}")
    for name, seconds in measured(folder, dataset, windows, rng):
        print(name.ljust(42), seconds)


def measured(folder: Path, dataset: Dataset, windows: Windows, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Lines of the table."""
    yield "load, to be memory-mapped", f"{1e3 * best(lambda: load(folder)):.1f} ms"
    yield "windows over it", f"{1e3 * best(lambda: Windows(dataset, HORIZON)):.1f} ms"
    count = 200
    drawn = best(lambda: [windows.sample(rng, BATCH) for _ in range(count)])
    yield "sample", rate(count * BATCH, drawn)
    whole = len(windows) // BATCH * BATCH
    yield (
        "an epoch, its permutation included",
        rate(whole, best(lambda: list_all(windows.epoch(rng, BATCH)), repeats=2)),
    )


def list_all(batches: Iterator[object]) -> None:
    """Consume an iterator."""
    for _ in batches:
        pass


def rate(count: int, seconds: float) -> str:
    """Windows per second."""
    return f"{count / seconds / 1e6:.2f} million windows/s, {1e6 * seconds / count * BATCH:.0f} µs a batch"


def best(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The shortest time of several calls, in seconds."""
    seconds = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return min(seconds)


if __name__ == "__main__":
    main()
