"""A study's solve rates beside those that others published for the same levels.

    chunkenv bench rtc
    python benchmarks/rtc_published.py results/rtc --delay 1

prints three tables in Markdown: the mean over the levels at each delay, here and there; what RTC solves more than naive
execution, in points, as a paired difference; and by level the solve rates of both at one delay, with the rank
correlation of RTC's gain. Rows with an execution horizon of max(1, d) count. Levels that were not played are left out
of both sides of the third table. The published figures, with their sources, are in `rtc_published.csv`. Needs scipy.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from markdown_tables import heading, line
from scipy.stats import spearmanr

from chunkenv.bench import Cell, Store
from chunkenv.bench.analysis import Setting, pooled_rates, solve_difference
from chunkenv.bench.report.delay_tables import percent, points
from chunkenv.evaluate import Row

PUBLISHED = Path(__file__).with_suffix(".csv")
ALL = "all"
"""Stands for a level in the file: the mean over all twelve."""
DELAYS = range(5)

Figures = Mapping[tuple[str, str, int], list[float]]
"""By method, level and delay: what each source says, in [0, 1]."""


def read_published() -> Figures:
    """The figures of others."""
    figures: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    with PUBLISHED.open() as file:
        for line in csv.DictReader(file):
            figures[line["method"], line["level"], int(line["delay"])].append(float(line["solved"]))
    return figures


def mean_table(rows: list[Row], figures: Figures) -> Iterator[str]:
    """Two lines for each method that others have figures for: here, and there."""
    yield from heading("method", "", *(f"d = {delay}" for delay in DELAYS))
    rates = pooled_rates(rows)
    for method in dict.fromkeys(row["method"] for row in rows):
        settings = [Setting(method, delay, max(1, delay)) for delay in DELAYS]
        if any((method, ALL, delay) in figures for delay in DELAYS):
            yield line(method, "here", *(percent(rates[each]) if each in rates else "" for each in settings))
            yield line("", "published", *(in_words(figures.get((method, ALL, delay), [])) for delay in DELAYS))


def gain_table(rows: list[Row]) -> Iterator[str]:
    """RTC against naive execution, at each delay."""
    yield from heading("", *(f"d = {delay}" for delay in DELAYS[1:]))
    pairs = [(Setting("rtc", delay, delay), Setting("naive", delay, delay)) for delay in DELAYS[1:]]
    yield line("rtc - naive", *(points(solve_difference(rows, *pair)) for pair in pairs))


def level_table(rows: list[Row], figures: Figures, delay: int) -> Iterator[str]:
    """Naive execution and RTC by level, and how alike their differences are ranked where both have been published."""
    yield from heading("level", "naive", "rtc", "naive, published", "rtc, published")
    gains = []
    for level in sorted({row["task"] for row in rows}):
        here = [solved(rows, method, level, delay) for method in ("naive", "rtc")]
        there = [figures.get((method, level, delay), []) for method in ("naive", "rtc")]
        yield line(level, *(f"{100 * rate:.0f}" for rate in here), *map(in_words, there))
        if all(there):
            gains.append((here[1] - here[0], float(np.mean(there[1]) - np.mean(there[0]))))
    if gains:
        found = spearmanr(*zip(*gains, strict=True))
        yield f"\nSpearman's rank correlation of rtc - naive: {found.statistic:.2f} (p = {found.pvalue:.2f})."


def solved(rows: list[Row], method: str, level: str, delay: int) -> float:
    """The share of episodes of a level that a method solves."""
    wanted = dict(method=method, task=level, delay=delay)
    return float(np.mean([row["success"] for row in rows if wanted.items() <= row.items()]))


def in_words(figures: list[float]) -> str:
    """One figure, or the range of several."""
    least, most = (f"{100 * find(figures):.0f}" for find in (min, max)) if figures else ("", "")
    return least if least == most else f"{least} to {most}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="the folder of `chunkenv bench rtc`")
    parser.add_argument("--delay", type=int, choices=DELAYS[1:], default=1, help="of the table by level")
    chosen = parser.parse_args()
    with Store(chosen.study / "episodes.sqlite", Cell) as store:
        rows = [row for row in store.rows() if row["execution_horizon"] == max(1, row["delay"])]
    figures = read_published()
    print(*mean_table(rows, figures), "", *gain_table(rows), "", *level_table(rows, figures, chosen.delay), sep="\n")


if __name__ == "__main__":
    main()
