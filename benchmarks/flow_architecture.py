"""Solve rate against the arithmetic per chunk: which network, and what size.

    python benchmarks/flow_architecture.py --data data/grasp_easy data/mjc_walker --out results/flow_architecture.jsonl

trains every architecture on every dataset, equally long and from the same seed, and plays each policy without delay at
several execution horizons. A line of the file is one training; trainings in the file are not repeated. The table and
the plot use all lines of the file; the intervals are 95 %, from a bootstrap over episodes inside each level.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from family_weights import solved

from chunkenv.agents import Architecture, FlowSettings
from chunkenv.bench.analysis import pooled
from chunkenv.data import Windows, load
from chunkenv.training import FlowTraining

HORIZONS = (1, 4, 8)
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10)
ARCHITECTURES = (
    Architecture("mlp", width=32, hidden=64, blocks=1),
    Architecture("mlp", width=64, hidden=128, blocks=1),
    Architecture("mlp", width=64, hidden=128, blocks=2),
    Architecture("mlp", width=128, hidden=256, blocks=1),
    Architecture("mlp", width=128, hidden=256, blocks=2),
    Architecture("mlp", width=192, hidden=384, blocks=2),
    Architecture("mlp", width=256, hidden=512, blocks=2),
    Architecture("mixer", width=16, hidden=32, blocks=2),
    Architecture("mixer", width=32, hidden=64, blocks=2),
)


def trained(folder: Path, architecture: Architecture, updates: int, episodes: int) -> dict[str, Any]:
    """Train a policy, play it, and return the results."""
    dataset = load(folder)
    level = dataset.info["level"]
    settings = replace(FlowSettings(), architecture=architecture, updates=updates)
    training = FlowTraining(Windows(dataset, 8), settings, seed=0, facts={"level": level})
    begun = time.process_time()
    while not training.done:
        training.advance()
    policy = training.policy()
    return {
        **identity(folder, architecture, updates, episodes),
        "level": level,
        "demonstrators": float(dataset.episodes.success.mean()),
        "transitions": len(dataset),
        "parameters": sum(weight.size for weight in policy.flow.weights.values()),
        "flops": policy.steps * policy.flops_per_evaluation,
        "cpu_seconds": time.process_time() - begun,
        "solved": {str(horizon): solved(policy, horizon, episodes, seed=0).tolist() for horizon in HORIZONS},
    }


def identity(folder: Path, architecture: Architecture, updates: int, episodes: int) -> dict[str, Any]:
    """The values that identify a line of the file."""
    return {"data": folder.name, "architecture": asdict(architecture), "updates": updates, "episodes": episodes}


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of the file, without an incomplete last line."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def train_missing(path: Path, folders: list[Path], updates: int, episodes: int) -> None:
    """Append a line for each training that the file lacks, level after level for each architecture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for architecture in ARCHITECTURES:
        for folder in folders:
            wanted = identity(folder, architecture, updates, episodes)
            if any(wanted.items() <= line.items() for line in read(path)):
                continue
            with path.open("a") as file:
                file.write(f"\n{json.dumps(trained(folder, architecture, updates, episodes))}")
            print(f"{folder.name}: {name(asdict(architecture))}", flush=True)


def name(architecture: dict[str, Any]) -> str:
    """An architecture in a few characters."""
    return f"{architecture['kind']} {architecture['width']}/{architecture['hidden']} x {architecture['blocks']}"


def rates(lines: list[dict[str, Any]]) -> tuple[float, float, float]:
    """Solve rate over levels and horizons, with the ends of its interval, in percent."""
    values = np.array([np.mean(list(line["solved"].values()), axis=0) for line in lines], float)
    found = pooled(values, bounds=(0, 1))
    return 100 * found.estimate, 100 * found.low, 100 * found.high


def summaries(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per architecture: size, cost, solve rate."""
    found = []
    for architecture in map(asdict, ARCHITECTURES):
        own = [line for line in lines if line["architecture"] == architecture]
        if own:
            means = {key: float(np.mean([line[key] for line in own])) for key in ("parameters", "flops", "cpu_seconds")}
            found.append({"name": name(architecture), "kind": architecture["kind"], "rates": rates(own), **means})
    return found


def table(lines: list[dict[str, Any]]) -> str:
    """The table in Markdown."""
    rows = ["| network | parameters | MFLOP per chunk | training, s | solved, % |", "|---|---|---|---|---|"]
    for summary in summaries(lines):
        rate, low, high = summary["rates"]
        rows.append(
            f"| {summary['name']} | {summary['parameters']:,.0f} | {summary['flops'] / 1e6:.2f} "
            f"| {summary['cpu_seconds']:.0f} | {rate:.1f} [{low:.1f}, {high:.1f}] |"
        )
    return "\n".join(rows)


def plot(lines: list[dict[str, Any]], path: Path) -> None:
    """Plot the solve rate against floating point operations per chunk."""
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for kind, marker in (("mlp", "o"), ("mixer", "s")):
        own = [summary for summary in summaries(lines) if summary["kind"] == kind]
        if not own:
            continue
        rate, low, high = np.array([summary["rates"] for summary in own]).T
        work = [summary["flops"] / 1e6 for summary in own]
        axes.errorbar(work, rate, yerr=[rate - low, high - rate], marker=marker, capsize=3, linestyle="", label=kind)
    levels = {line["level"]: line["demonstrators"] for line in lines}
    axes.axhline(100 * float(np.mean(list(levels.values()))), color="grey", linestyle=":", label="demonstrators")
    axes.set(xscale="log", xlabel="MFLOP per chunk (5 Euler steps)", ylabel="solved, %")
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.minorticks_off()
    axes.set_title(f"Without delay, s = 1, 4, 8; {', '.join(levels)}", fontsize=9)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Train what is missing, print the table and draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", type=Path, default=[])
    parser.add_argument("--updates", type=int, default=4000)
    parser.add_argument("--episodes", type=int, default=256)
    parser.add_argument("--out", type=Path, default=Path("results/flow_architecture.jsonl"))
    parser.add_argument("--plot", type=Path, default=Path("docs/images/flow_architecture.png"))
    chosen = parser.parse_args()
    train_missing(chosen.out, chosen.data, chosen.updates, chosen.episodes)
    lines = read(chosen.out)
    print(table(lines))
    plot(lines, chosen.plot)


if __name__ == "__main__":
    main()
