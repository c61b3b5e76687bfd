"""The planner's solve rates on the twelve Kinetix levels, with and without delay, prefix-aware or not.

    python benchmarks/planner.py --out results/planner.jsonl

Every cell (level, delay, method) is `chunkenv.evaluate` with the same seed, so that methods are compared on paired
episodes. A cell that is already in the file is not played again: the command continues where it was stopped. Needs the
extra `kinetix`.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from chunkenv import ActionNoise, ChunkedExecution, evaluate
from chunkenv.agents.sampling_planner import DEFAULT_SETTINGS, Planner
from chunkenv.bench.analysis import Interval, pooled
from chunkenv.registration import ACTION_NOISE, LEVELS

PREDICTION_HORIZON, EXECUTION_HORIZON = 8, 4
METHODS = ("prefix-aware", "naive")


class Cell(NamedTuple):
    """One level under one delay with one method; `settings` is "level" (the level's own) or "default"."""

    level: str
    delay: int
    method: str
    episodes: int
    seed: int
    settings: str


def make_env(cell: Cell) -> gym.Env:
    """The planner's environment: the state as observation, noisy actions, delayed chunks."""
    world = gym.make(f"chunkenv/kinetix-{cell.level}-v0", observation="state")
    return ChunkedExecution(ActionNoise(world, ACTION_NOISE), PREDICTION_HORIZON, EXECUTION_HORIZON, latency=cell.delay)


def play(cell: Cell) -> dict[str, Any]:
    """The cell's episodes, and the cost of a decision."""
    settings = DEFAULT_SETTINGS if cell.settings == "default" else None
    planner = Planner(cell.level, PREDICTION_HORIZON, cell.method == "prefix-aware", settings)
    rows = evaluate(lambda: make_env(cell), planner, cell.episodes, cell.seed)
    decisions = sum(row["decisions"] for row in rows)
    return {
        **cell._asdict(),
        "solved": [int(row["success"]) for row in rows],
        "ticks": [row["ticks"] for row in rows],
        "decisions": decisions,
        "simulated": planner.ticks_simulated,
    }


def played(cells: list[Cell], path: Path, workers: int) -> list[dict[str, Any]]:
    """The results of all cells: those in the file, and the others, which are played and appended to it."""
    found = {Cell(*(result[field] for field in Cell._fields)): result for result in read(path)}
    missing = [cell for cell in cells if cell not in found]
    path.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(workers) as pool, path.open("a") as file:
        for cell, result in zip(missing, pool.map(play, missing), strict=True):
            print(f"\n{json.dumps(result)}", end="", file=file, flush=True)
            print(f"{len(found) + 1} of {len(cells)}: {sum(result['solved'])} of {cell.episodes}, {cell}", flush=True)
            found[cell] = result
    return [found[cell] for cell in cells]


def read(path: Path) -> list[dict[str, Any]]:
    """The results in the file, without an incomplete last line."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def level_table(results: list[dict[str, Any]]) -> Iterator[str]:
    """One line for each level: its length and cost without delay, and the solved episodes under each delay."""
    by_cell = {(result["level"], result["delay"], result["method"]): result for result in results}
    delays = sorted({result["delay"] for result in results})
    episodes = results[0]["episodes"]
    yield f"Solved of {episodes}: prefix-aware / naive; ticks and cost of the prefix-aware planner at the least delay."
    yield "| level | " + " | ".join(f"d={delay}" for delay in delays) + " | median ticks | simulated per decision |"
    yield "|---|" + "---|" * (len(delays) + 2)
    for level in dict.fromkeys(result["level"] for result in results):
        pairs = [[sum(by_cell[level, delay, method]["solved"]) for method in METHODS] for delay in delays]
        first = by_cell[level, delays[0], METHODS[0]]
        cells = [f"{aware} / {naive}" for aware, naive in pairs]
        cells += [f"{statistics.median(first['ticks']):.0f}", f"{first['simulated'] / first['decisions']:,.0f}"]
        yield f"| {level} | {' | '.join(cells)} |"


def pooled_table(results: list[dict[str, Any]]) -> Iterator[str]:
    """One line for each delay: solve rates pooled over the levels, and the gain of prefix-aware planning."""
    yield "| delay | prefix-aware % | naive % | gain, points (paired) |"
    yield "|---|---|---|---|"
    for delay in sorted({result["delay"] for result in results}):
        aware, naive = (solved(results, delay, method) for method in METHODS)
        gain = pooled(aware - naive, bounds=(-1, 1))
        rates = " | ".join(map(shown, (pooled(aware, bounds=(0, 1)), pooled(naive, bounds=(0, 1)), gain)))
        yield f"| {delay} | {rates} |"


def solved(results: list[dict[str, Any]], delay: int, method: str) -> np.ndarray:
    """1 or 0 for each episode, a row for each level."""
    chosen = [result for result in results if (result["delay"], result["method"]) == (delay, method)]
    return np.array([result["solved"] for result in chosen], float)


def shown(interval: Interval) -> str:
    """An estimate with its 95 % interval, in percent."""
    return f"{100 * interval.estimate:.0f} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", nargs="+", default=LEVELS, choices=LEVELS)
    parser.add_argument("--delays", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="level", choices=["level", "default"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/planner.jsonl"))
    return parser.parse_args()


def main() -> None:
    """Play what is missing, and print the tables."""
    chosen = arguments()
    cells = [
        Cell(level, delay, method, chosen.episodes, chosen.seed, chosen.settings)
        for delay in chosen.delays
        for level in chosen.levels
        for method in METHODS
    ]
    results = played(cells, chosen.out, chosen.workers)
    total = sum(result["simulated"] for result in results)
    print(*level_table(results), "", *pooled_table(results), "", sep="\n")
    print(f"{total / 1e6:.1f} million ticks simulated; seed {chosen.seed}, settings: {chosen.settings}.")


if __name__ == "__main__":
    main()
