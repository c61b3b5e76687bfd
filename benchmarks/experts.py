"""Train the experts of the Kinetix levels, and print their solve rates and training times.

    python benchmarks/experts.py --seeds 0 1 --out results/experts

Trains what is missing in `<out>/<level>/seed<k>/`, and continues interrupted trainings. Then plays first episodes with
each run's best checkpoint under action noise 0.1. The checkpoint was chosen by other episodes (256 at each evaluation),
so the selection does not bias the results. Needs the extras `agents` and `kinetix`.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chunkenv import training
from chunkenv.agents import load_best_expert, ppo_settings, run_folder
from chunkenv.bench.analysis import wilson
from chunkenv.kinetix import LEVELS
from chunkenv.training import PPOTraining, read_metrics, solved_episodes

NOISE_SEED = 1_000_000
"""The seed of the table's episodes, far from the seeds of trainings."""


class Trained(NamedTuple):
    """One training: the episodes that its best checkpoint solves, its steps, and the total time."""

    solved: int
    episodes: int
    best_steps: int
    steps: int
    seconds: float
    cpu_seconds: float


def train(level: str, seed: int, out: Path) -> None:
    """Train an expert, or continue its training; do nothing if it is finished."""
    folder = run_folder(out, level, seed)
    run = training.resume(PPOTraining(level, ppo_settings(level), seed), folder)
    for metrics in training.train(run, folder):
        if "solve_rate" in metrics:
            print(f"{level}, seed {seed}: {metrics['steps']:,} steps, {metrics['solve_rate']:.1%}", flush=True)


def measure(level: str, seed: int, out: Path, episodes: int) -> Trained:
    """Play with the best checkpoint of a training."""
    folder = run_folder(out, level, seed)
    expert, last = load_best_expert(folder), read_metrics(folder / "metrics.jsonl")[-1]
    count = int(solved_episodes(expert, episodes, NOISE_SEED + seed).sum())
    return Trained(count, episodes, expert.steps, int(last["steps"]), last["seconds"], last["cpu_seconds"])


def table(results: dict[str, list[Trained]]) -> Iterator[str]:
    """One line for each level: every seed's solve rate, and all episodes pooled."""
    yield "| level | each seed, % | together, % [95 %] | million steps | best after | minutes | CPU minutes |"
    yield "|---|---|---|---|---|---|---|"
    for level, runs in results.items():
        rates = " ".join(f"{100 * run.solved / run.episodes:.1f}" for run in runs)
        interval = wilson(sum(run.solved for run in runs), sum(run.episodes for run in runs))
        together = f"{100 * interval.estimate:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"
        best = " ".join(f"{run.best_steps / 1e6:.1f}" for run in runs)
        wall, cpu = (statistics.median(times) / 60 for times in zip(*(run[-2:] for run in runs), strict=True))
        yield f"| {level} | {rates} | {together} | {runs[0].steps / 1e6:.1f} | {best} | {wall:.1f} | {cpu:.1f} |"


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", nargs="+", default=LEVELS, choices=LEVELS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--episodes", type=int, default=1024)
    parser.add_argument("--out", type=Path, default=Path("results/experts"))
    return parser.parse_args()


def main() -> None:
    """Train what is missing, and print the table."""
    chosen = arguments()
    for seed in chosen.seeds:
        for level in chosen.levels:
            train(level, seed, chosen.out)
    results = {
        level: [measure(level, seed, chosen.out, chosen.episodes) for seed in chosen.seeds] for level in chosen.levels
    }
    print(*table(results), "", sep="\n")
    print(f"{chosen.episodes} episodes per seed; minutes are the median over the seeds {chosen.seeds}.")


if __name__ == "__main__":
    main()
