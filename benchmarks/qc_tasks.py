"""Solve rates of agents of the Q-chunking family trained on the same data, over training seeds.

    chunkenv bench run benchmarks/qc_tasks.py                  # longer tasks; data as in docs/howto/qc.md
    chunkenv bench run benchmarks/qc_tasks.py:one_cube         # or another study of this file
    python benchmarks/qc_tasks.py results/qc-tasks --plot curves.png

Each agent is trained offline, then online, as `chunkenv train qc` does, and its last weights play 50 episodes that no
training has used. Finished work is not repeated, and interrupted work continues.

The tables show the solve rate of each agent, and the differences between any two agents, seed by seed, in points.
Intervals are 95 %, from a bootstrap over seeds (of three: the minimum and the maximum): they describe a new seed.
`minutes` are those of training alone, without evaluations. The plot shows the evaluations during training: the mean
over seeds, and each seed.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations, product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from qc_study import (
    AgentCell,
    Seeds,
    describe_differences,
    describe_rates,
    differences,
    group,
    make_agent_study,
    make_cell,
    read_rows,
    repeat,
)

from chunkenv.bench import Study
from chunkenv.evaluate import Row

CUBE = "cube-single-play"


def make_study() -> Study:
    """Four agents on three longer tasks: results/qc-tasks."""
    return make_agent_study("qc-tasks", longer_tasks())


def longer_tasks() -> list[AgentCell]:
    """The cells of the study of longer tasks."""
    agents = ("qc", "qc-fql", "fql", "fql-n")
    short = {"offline_steps": 5000, "online_steps": 10_000, "target_steps": 5}
    long = {"offline_steps": 10_000, "online_steps": 30_000, "evaluate_every": 5000, "target_steps": 5}
    cells = [make_cell(task, agent, **short) for task, agent in product(("puzzle-3x3", "scene"), agents)]
    return repeat([*cells, *(make_cell("cube-double", agent, **long) for agent in agents)])


def one_cube() -> Study:
    """One cube from play: results/qc-one-cube."""
    pair = [make_cell(CUBE, agent, offline_steps=10_000, online_steps=30_000) for agent in ("qc-fql", "fql")]
    return make_agent_study(
        "qc-one-cube", [*repeat(pair), make_cell(CUBE, "qc", offline_steps=5000, online_steps=15_000)]
    )


def one_hour() -> Study:
    """The same for an hour and more, one seed: results/qc-one-hour."""
    longer = make_cell(CUBE, "qc-fql", offline_steps=10_000, online_steps=150_000, evaluate_every=10_000)
    steps = {"offline_steps": 10_000, "online_steps": 90_000, "evaluate_every": 5000}
    return make_agent_study("qc-one-hour", [longer, make_cell(CUBE, "qc", target_sampler="distilled", **steps)])


def faster_targets() -> Study:
    """Targets of QC, exact and faster: results/qc-faster-targets."""
    steps = {"offline_steps": 4000, "online_steps": 8000, "evaluate_every": 4000, "evaluation_episodes": 10}
    targets = {"exact": {}, "five steps": {"target_steps": 5}, "distilled": {"target_sampler": "distilled"}}
    cells = [make_cell(CUBE, "qc", method=f"qc, {name}", **steps, **target) for name, target in targets.items()]
    return make_agent_study("qc-faster-targets", repeat(cells))


def main() -> None:
    """Print the tables of a study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the study, such as results/qc-tasks")
    parser.add_argument("--plot", type=Path, help="a file for the curves")
    options = parser.parse_args()
    found = group(read_rows(options.folder), "task", "method")
    show(found)
    if options.plot:
        plot(found, options.plot)


def show(found: dict[tuple, Seeds]) -> None:
    """The table of solve rates, and the differences between agents if there are several."""
    print("| task | agent | seeds | steps | minutes | solved, % (each seed) |\n|---|---|---|---|---|---|")
    for (task, agent), seeds in found.items():
        firsts = [rows[0] for rows in seeds.values()]
        minutes = np.mean([row["training_seconds"] for row in firsts]) / 60
        steps = int(np.mean([row["training_steps"] for row in firsts]))
        print(f"| {task} | {agent} | {len(seeds)} | {steps:,} | {minutes:.1f} | {describe_rates(seeds)} |")
    tasks, agents = names(found)
    if len(agents) > 1:
        print(f"\n| points | {' | '.join(tasks)} | all |\n|---|{'---|' * len(tasks)}---|")
    for first, second in combinations(reversed(agents), 2):
        each = [differences(found.get((task, first), {}), found.get((task, second), {})) for task in tasks]
        cells = [*(describe_differences([gains]) for gains in each), describe_differences(each)]
        print(f"| {first} - {second} | {' | '.join(cells)} |")


def names(found: dict[tuple, Seeds]) -> tuple[list[str], list[str]]:
    """The names of all tasks, and of all agents."""
    return sorted({task for task, _ in found}), sorted({agent for _, agent in found})


def plot(found: dict[tuple, Seeds], path: Path) -> None:
    """Plot the solve rates during training, a panel for each task."""
    tasks, agents = names(found)
    figure, panels = plt.subplots(1, len(tasks), figsize=(3.6 * len(tasks), 3.2), layout="constrained", sharey=True)
    for task, axes in zip(tasks, np.atleast_1d(panels), strict=True):
        for colour, agent in enumerate(agents):
            if seeds := found.get((task, agent)):
                plot_curves(axes, [rows[0] for rows in seeds.values()], agent, f"C{colour}")
        axes.set(title=task, xlabel="thousand steps", ylim=(-2, 102))
    np.atleast_1d(panels)[0].set_ylabel("solved, %")
    np.atleast_1d(panels)[0].legend()
    figure.savefig(path, dpi=120)


def plot_curves(axes: Axes, rows: list[Row], label: str, colour: str) -> None:
    """Draw the mean over seeds, and each seed in a lighter colour; `rows` has a row of each seed."""
    curves = [np.array(json.loads(row["curve"])) for row in rows]
    shortest = min(map(len, curves))
    steps = np.mean([curve[:shortest, 0] for curve in curves], 0)  # evaluations wait for an episode's end
    rates = 100 * np.array([curve[:shortest, 1] for curve in curves])
    axes.plot(steps / 1000, rates.T, color=colour, alpha=0.25, linewidth=1)
    axes.plot(steps / 1000, rates.mean(0), color=colour, marker="o", markersize=3, label=label)


if __name__ == "__main__":
    main()
