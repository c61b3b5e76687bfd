"""The speed of the Kinetix engine compared with kinetix-env, level by level, in one run.

    python3.11 -m venv kinetix-reference
    kinetix-reference/bin/pip install kinetix-env==3.0.2
    python benchmarks/kinetix_speed.py --reference kinetix-reference/bin/python --worlds PATH/worlds/l

kinetix-env and its 115 packages need a separate environment; `worlds/l` is the folder of the twelve level files of
Physical-Intelligence/real-time-chunking-kinetix. Without --reference only our side is measured.

Single: one environment stepped from Python, with the observation. Batch: whole chunks of many environments in one call,
8 ticks of one held random action each, new episodes where one ended, without and with the observation after the chunk;
the reference vmapped in a scan, ours on one thread and on all threads. The best of all sizes counts, on either side.
Both sides are measured in turns. All levels take about eight minutes on two cores, about two of them for compiling the
reference. To measure in several runs use --levels and the same --out: the table has all rows of the file.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import gymnasium
import numpy as np

import chunkenv  # noqa: F401 (registers the ids)
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.utils.processes import usable_cores

REFERENCE = Path(__file__).with_name("kinetix_speed_reference.py")
HOLD = 8
Row = dict[str, str | int | float | bool]


def actions() -> Iterator[np.ndarray]:
    """Uniform random actions, each held for eight ticks."""
    rng = np.random.default_rng(0)
    while True:
        action = rng.uniform(-1, 1, 6).astype(np.float32)
        for _ in range(HOLD):
            yield action


def of_one(level: str, seconds: float) -> float:
    """Our steps per second through `gymnasium.make`, with observation, checks and time limit."""
    env = gymnasium.make(f"chunkenv/kinetix-{level}-v0", disable_env_checker=True)
    env.reset()
    steps, source, start = 0, actions(), time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(100):
            _, _, terminated, truncated, _ = env.step(next(source))
            if terminated or truncated:
                env.reset()
        steps += 100
    return steps / (time.perf_counter() - start)


def of_many(level: str, size: int, observe: bool, threads: int, seconds: float) -> float:
    """Our steps per second in chunks of many environments; ticks after an end do not count."""
    engine, rng = Simulator(level), np.random.default_rng(0)
    first = engine.initial_state()
    states, ticks = np.tile(first, (size, 1)), np.full(size, HOLD)
    steps, start = -1, time.perf_counter()
    while time.perf_counter() - start < seconds:
        held = rng.uniform(-1, 1, (size, 1, 6)).astype(np.float32)
        observation = "symbolic" if observe else None
        played = engine.play(states, np.repeat(held, HOLD, 1), ticks, observation=observation, threads=threads)
        ended = played.ends < HOLD
        states[ended] = first
        if steps < 0:  # the first call may have compiled
            steps, start = 0, time.perf_counter()
        else:
            steps += int(np.where(ended, played.ends + 1, HOLD).sum())
    return steps / (time.perf_counter() - start)


class Reference:
    """kinetix-env in its own interpreter."""

    def __init__(self, python: str, worlds: str) -> None:
        command = [python, str(REFERENCE), worlds]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)

    def rate(self, **question: str | float | bool) -> float:
        """Request one measurement."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(question), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("The reference has stopped: run benchmarks/kinetix_speed_reference.py alone to see why.")
        return float(answer)


def measured(level: str, options: argparse.Namespace, reference: Reference | None) -> Iterator[Row]:
    """All rows of a level: steps per second of ours and theirs, in turns."""
    seconds = options.seconds

    def row(who: str, size: int, observe: bool, threads: int, rate: float) -> Row:
        return dict(level=level, who=who, size=size, observe=observe, threads=threads, rate=rate)

    yield row("ours", 0, True, 1, of_one(level, seconds))
    if reference:
        yield row("theirs", 0, True, 1, reference.rate(level=level, size=0, observe=True, seconds=seconds))
    for size in options.sizes:
        for observe in (False, True):
            for threads in sorted({1, usable_cores()}):
                yield row("ours", size, observe, threads, of_many(level, size, observe, threads, seconds / 2))
            if reference:
                rate = reference.rate(level=level, size=size, observe=observe, seconds=seconds)
                yield row("theirs", size, observe, 0, rate)


def best(rows: Iterable[Row], **wanted: str | int | bool) -> float:
    """The highest rate among the rows that match, batches if no size is given; NaN if there is none."""
    rates = [
        float(row["rate"])
        for row in rows
        if all(row[key] == value for key, value in wanted.items()) and ("size" in wanted or row["size"])
    ]
    return max(rates, default=math.nan)


def table(rows: list[Row]) -> str:
    """Steps per second and ratios, a line for each level, and their geometric means."""
    many = max(int(row["threads"]) for row in rows)
    head = ["level".ljust(18)]
    for what in ("single", "batch", "with obs"):
        head += [f"{what}: theirs", "ours"] + ([] if what == "single" else [f"{many} threads", "gain"]) + ["ratio"]
    lines, numbers = [head], []
    for level in dict.fromkeys(str(row["level"]) for row in rows):
        own = [row for row in rows if row["level"] == level]
        ours, theirs = best(own, who="ours", size=0), best(own, who="theirs", size=0)
        cells = [theirs, ours, ours / theirs]
        for observe in (False, True):
            theirs = best(own, who="theirs", observe=observe)
            one, all_ = (best(own, who="ours", observe=observe, threads=threads) for threads in (1, many))
            cells += [theirs, one, all_, all_ / one, all_ / theirs]
        numbers.append(cells)
        lines.append([level.ljust(18), *map(_shown, cells)])
    means = [math.exp(sum(math.log(cells[k]) for cells in numbers) / len(numbers)) for k in range(len(numbers[0]))]
    lines.append(["geometric mean".ljust(18), *map(_shown, means)])
    widths = [max(len(cell), 9) + 2 for cell in head]
    return "\n".join("".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _shown(x: float) -> str:
    return f"{x:.2f}x" if x < 10 else f"{x:,.0f}"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", metavar="PYTHON", help="an interpreter that has kinetix-env 3.0.2")
    parser.add_argument("--worlds", help="folder of the twelve level files; needed with --reference")
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS, metavar="LEVEL", help="which to measure")
    parser.add_argument("--sizes", nargs="+", type=int, default=[64, 512, 2048], help="environments in a batch")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each measurement")
    parser.add_argument("--out", type=Path, help="file of rows (JSON lines) to append to and to make the table of")
    options = parser.parse_args()
    if options.reference and not options.worlds:
        parser.error("--reference needs --worlds")
    reference = Reference(options.reference, options.worlds) if options.reference else None
    rows = []
    for level in options.levels:
        rows += measured(level, options, reference)
        print(table(rows).splitlines()[-2], flush=True)
        if options.out:
            with options.out.open("a") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows if row["level"] == level)
    if options.out:
        rows = [json.loads(line) for line in options.out.read_text().splitlines()]
    print(table(rows))


if __name__ == "__main__":
    main()
