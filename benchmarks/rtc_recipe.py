"""Which policies show what Real-Time Chunking gains: of smooth or exploring experts, of mean or sampled actions.

    python benchmarks/rtc_recipe.py --smooth-mean A --smooth-sampled B --exploring-mean C --exploring-sampled D

plays `naive`, `rtc` and `training-time-rtc` of each folder of flow policies (`benchmarks/policy_family.py` makes one;
its kind `prefix` is to be of executed prefixes) as `chunkenv bench rtc` does, in results/rtc-recipe/NAME, and goes on
where it was stopped. It prints two tables in Markdown: what naive execution loses at a delay d, and what RTC and
prefixes win back, in points of solve rate; and how that differs between the families. All episodes are paired; all
levels weigh the same; intervals are 95 %. The policies of the package may be given by their names: `smooth`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from markdown_tables import heading, line

from chunkenv.bench import Store, Study, run_study
from chunkenv.bench.analysis import mean_rate, pooled
from chunkenv.bench.report.delay_tables import percent, points
from chunkenv.bench.studies.rtc_study import rtc_study
from chunkenv.registration import LEVELS

Values = list[np.ndarray]
"""Of each level its episodes, in order."""
METHODS = ("naive", "rtc", "training-time-rtc")
FAMILIES = {
    "smooth-mean": ("smooth experts", "mean actions"),
    "smooth-sampled": ("smooth experts", "sampled actions"),
    "exploring-mean": ("exploring experts", "mean actions"),
    "exploring-sampled": ("exploring experts", "sampled actions"),
}
PAIRS = (
    ("smooth-sampled", "smooth-mean", "sampled - mean actions, smooth experts"),
    ("exploring-sampled", "exploring-mean", "sampled - mean actions, exploring experts"),
    ("exploring-mean", "smooth-mean", "exploring - smooth experts, mean actions"),
    ("exploring-sampled", "smooth-sampled", "exploring - smooth experts, sampled actions"),
)
QUANTITIES = ("naive loses", "RTC wins", "prefixes win")


class Outcome(NamedTuple):
    """What became of a family, as truths or differences of truths."""

    at_once: Values
    late: Values
    quantities: tuple[Values, ...]


def outcome(study: Study, store: Store, delay: int) -> Outcome:
    """Of the rows of a study that was played: what `QUANTITIES` name, in each episode."""
    solved = {(row["task"], row["method"], row["delay"], row["episode"]): row["success"] for row in store.rows()}

    def of(method: str, delay: int) -> Values:
        tasks = dict.fromkeys(cell.task for cell in study.cells)
        return [
            np.array([solved[task, method, delay, each] for each in range(study.episodes)], float) for task in tasks
        ]

    at_once, late = of("naive", 0), of("naive", delay)
    wins = [minus(of(method, delay), late) for method in METHODS[1:]]
    return Outcome(at_once, late, (minus(at_once, late), *wins))


def minus(ones: Values, others: Values) -> Values:
    """The differences of paired episodes."""
    return [one - other for one, other in zip(ones, others, strict=True)]


def family_table(outcomes: dict[str, Outcome], delay: int) -> Iterator[str]:
    """A line for each family."""
    yield from heading("experts", "actions", "naive, d = 0", f"naive, d = {delay}", *QUANTITIES)
    for name, found in outcomes.items():
        rates = [mean_rate([(int(task.sum()), len(task)) for task in each]) for each in (found.at_once, found.late)]
        gains = [points(pooled(each, bounds=(-1, 1))) for each in found.quantities]
        yield line(*FAMILIES[name], *map(percent, rates), *gains)


def difference_table(outcomes: dict[str, Outcome]) -> Iterator[str]:
    """A line for each two families that differ in one thing."""
    yield from heading("difference", *QUANTITIES)
    for one, other, text in PAIRS:
        if one in outcomes and other in outcomes:
            pairs = zip(outcomes[one].quantities, outcomes[other].quantities, strict=True)
            yield line(text, *(points(pooled(minus(*pair), bounds=(-2, 2))) for pair in pairs))


def play(study: Study, folder: Path, workers: int, delay: int) -> Outcome:
    """Play what is missing of a family's study."""
    with Store(folder / "episodes.sqlite", study.cell) as store:
        for _ in run_study(study, store, workers):
            pass
        return outcome(study, store, delay)


def main(arguments: Sequence[str] | None = None) -> None:
    """Play, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in FAMILIES:
        parser.add_argument(f"--{name}", metavar="FOLDER")
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
    parser.add_argument("--delay", type=int, choices=(1, 2, 3, 4), default=1, help="ticks; s is the same")
    parser.add_argument("--episodes", type=int, default=256)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/rtc-recipe"))
    chosen = parser.parse_args(arguments)
    families = {name: vars(chosen)[name.replace("-", "_")] for name in FAMILIES}
    schedules, outcomes = [(0, 1), (chosen.delay, chosen.delay)], {}
    for name, folder in families.items():
        if folder:
            study = rtc_study(chosen.levels, METHODS, schedules, chosen.episodes, policies=folder)
            outcomes[name] = play(study, chosen.out / name, chosen.workers, chosen.delay)
    print(*family_table(outcomes, chosen.delay), "", *difference_table(outcomes), sep="\n")


if __name__ == "__main__":
    main()
