"""Learning from trained experts and from the sampling planner, with the same number of transitions.

    chunkenv data collect chain_lander --planner --episodes 500 --seed 100 --out data/planner-chain_lander
    chunkenv data collect chain_lander --experts experts/chain_lander --transitions 1000000 --seed 101 \
        --out data/chain_lander
    python benchmarks/data_sources.py --data data/planner-chain_lander data/chain_lander --out results/sources.jsonl

For each level the smallest dataset sets the number of transitions; from a larger one the first ones are used, and in a
second training all of them. A flow policy is trained on each, equally long and from the same seed, and played under
action noise, with and without inference delay, and also with Real-Time Chunking: `rtc - naive` is the paired difference
in points over all schedules with a delay, with its 95 % interval. `spread` is how much its chunks differ for the first
observation of an episode: the standard deviation over 256 draws, as the mean over rows and the channels that move.
A line of the file is one training; trainings in the file are not repeated.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from family_weights import solved

from chunkenv.agents import FlowPolicy, FlowSettings
from chunkenv.bench.analysis import Interval, paired_difference
from chunkenv.data import Dataset, Windows, load
from chunkenv.strategies import RTC
from chunkenv.training import FlowTraining
from chunkenv.vector import VectorRequest

SCHEDULES = ((1, 0), (4, 0), (8, 0), (1, 1), (2, 2), (4, 4))
"""Execution horizon and delay, in ticks."""

DRAWS = 256
MUCH = 1.1
"""A dataset that is larger than the smallest by this factor is also used as a whole."""


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of datasets")
    parser.add_argument("--updates", type=int, default=6000)
    parser.add_argument("--episodes", type=int, default=256)
    parser.add_argument("--out", type=Path, default=Path("results") / "sources.jsonl")
    options = parser.parse_args()
    for folder, dataset, episodes in wanted(options.data):
        identity = {"data": folder.name, "taken": episodes, "updates": options.updates, "episodes": options.episodes}
        if not any(identity.items() <= line.items() for line in read(options.out)):
            append(options.out, identity | trained(dataset, episodes, options.updates, options.episodes))
    show(read(options.out))


def wanted(folders: list[Path]) -> list[tuple[Path, Dataset, int]]:
    """Datasets, and the number of their first episodes to learn from."""
    by_level = defaultdict(list)
    for folder in folders:
        dataset = load(folder)
        by_level[dataset.info["level"]].append((folder, dataset))
    found = []
    for members in by_level.values():
        least = min(len(dataset) for _, dataset in members)
        for folder, dataset in members:
            count = len(dataset.episodes.length)
            few = min(int(np.searchsorted(np.cumsum(dataset.episodes.length), least)) + 1, count)
            found += [(folder, dataset, few)] + ([(folder, dataset, count)] if len(dataset) > MUCH * least else [])
    return found


def trained(dataset: Dataset, episodes: int, updates: int, evaluated: int) -> dict[str, Any]:
    """Train a policy, play it, and return the results."""
    windows = Windows(dataset, 8, episodes=np.arange(episodes))
    facts = {"level": dataset.info["level"]}
    training = FlowTraining(windows, replace(FlowSettings(), updates=updates), seed=0, facts=facts)
    while not training.done:
        training.advance()
    policy = training.policy()
    naive = {(s, d): solved(policy, s, evaluated, 0, d) for s, d in SCHEDULES}
    rates = {f"s={s} d={d}": float(successes.mean()) for (s, d), successes in naive.items()}
    rtc = {(s, d): solved(RTC(policy), s, evaluated, 0, d) for s, d in SCHEDULES if d}
    return {
        "level": dataset.info["level"],
        "by": "planner" if dataset.info["experts"][0]["name"] == "planner" else "experts",
        "transitions": len(windows),
        "demonstrators": float(dataset.episodes.success[:episodes].mean()),
        "solved": rates,
        "rtc - naive": [100 * value for value in gain(rtc, naive)],
        "spread": spread(policy, dataset),
    }


def gain(first: dict[Any, np.ndarray], second: dict[Any, np.ndarray]) -> Interval:
    """The paired difference of solve rates, first minus second, over the schedules of the first."""
    return paired_difference(*([which[key].astype(float) for key in first] for which in (first, second)))


def spread(policy: FlowPolicy, dataset: Dataset) -> float:
    """The spread of chunks for the first observation."""
    observations = np.repeat(dataset.observations[:1], DRAWS, axis=0)
    none, rows = np.zeros(DRAWS, np.int64), np.zeros((DRAWS, policy.prediction_horizon, 6), np.float32)
    generators = tuple(np.random.default_rng(draw) for draw in range(DRAWS))
    request = VectorRequest(none, rows, none, none, policy.prediction_horizon, rows, none, generators)
    moving = np.asarray(dataset.actions).std(axis=0) > 0
    return float(policy.infer_batch(observations, request).std(axis=0)[:, moving].mean())


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of the file, without an incomplete last line."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def append(path: Path, line: dict[str, Any]) -> None:
    """Add a line to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")


def show(lines: list[dict[str, Any]]) -> None:
    """A table in Markdown; solve rates in percent."""
    names = [f"s={s} d={d}" for s, d in SCHEDULES]
    print(f"| level | data | transitions | demonstrators | {' | '.join(names)} | rtc - naive | spread |")
    print("|---|---|---|---|" + "---|" * (len(names) + 2))
    for line in sorted(lines, key=lambda line: (line["level"], line["by"], line["transitions"])):
        rates = " | ".join(f"{100 * line['solved'][name]:.0f}" for name in names)
        about = f"{line['level']} | {line['by']} | {line['transitions']:,} | {100 * line['demonstrators']:.0f}"
        more, low, high = line["rtc - naive"]
        print(f"| {about} | {rates} | {more:+.0f} [{low:+.0f}, {high:+.0f}] | {line['spread']:.2f} |")


if __name__ == "__main__":
    main()
