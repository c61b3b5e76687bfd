"""The parts of the agents of `qc_tasks.py`: what do they imitate, and what do their critics choose?

    chunkenv bench run benchmarks/qc_parts.py               # the agents of the longer tasks
    chunkenv bench run benchmarks/qc_parts.py:imitation     # imitation with and without noise in the demonstrations
    python benchmarks/qc_parts.py results/qc-parts

plays each of them in the environment of its data, in the episodes of the other study:

- imitation: the flow inside the agent alone, which imitates the data, in chunks or one action at a time;
- best of N: of N draws of that flow the one with the highest value by the agent's critics. The rule is the same for all
  agents, so only imitation and critics differ;
- as it is: the agent itself, which may have its own policy.

Agents that `qc_tasks.py` has trained are not trained again. Intervals are 95 %, from a bootstrap over seeds.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from itertools import product
from pathlib import Path

from qc_study import (
    AgentCell,
    describe_differences,
    describe_rates,
    differences,
    group,
    make_agent_study,
    make_cell,
    read_rows,
    repeat,
)
from qc_tasks import longer_tasks

from chunkenv.bench import Study

WAYS = {"best-of-1": "imitation", "best-of-8": "best of 8", "agent": "as it is"}


def make_study() -> Study:
    """The agents of the longer tasks in three ways: results/qc-parts."""
    return make_agent_study("qc-parts", [play_by(cell, way) for way in WAYS for cell in longer_tasks()])


def imitation() -> Study:
    """Imitation of demonstrations with noise and without: results/qc-imitation."""
    steps = {"offline_steps": 10_000, "online_steps": 0, "evaluate_every": 10_000}
    pairs = product(("cube-double", "cube-double-clean"), ("fql", "qc-fql"))
    cells = [play_by(make_cell(task, agent, **steps), "best-of-1") for task, agent in pairs]
    return make_agent_study("qc-imitation", repeat(cells))


def play_by(cell: AgentCell, way: str) -> AgentCell:
    """The same agent, played in one of `WAYS`."""
    return replace(cell, way=way, method=f"{cell.agent}, {WAYS[way]}")


def main() -> None:
    """Print the table, and the gain of choosing over imitation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the study, such as results/qc-parts")
    found = group(read_rows(parser.parse_args().folder), "agent", "task", "way")
    ways = [way for way in WAYS if any(way == each[2] for each in found)]
    print(f"| task | agent | {' | '.join(WAYS[way] for way in ways)} |\n|---|---|{'---|' * len(ways)}")
    pairs = sorted({(agent, task) for agent, task, _ in found})
    for agent, task in pairs:
        rates = [describe_rates(found.get((agent, task, way), {})) for way in ways]
        print(f"| {task} | {agent} | {' | '.join(rates)} |")
    if "best-of-8" not in ways:
        return
    print("\n| agent | best of 8 - imitation, points over all tasks |\n|---|---|")
    gains = defaultdict(list)
    for agent, task in pairs:
        chosen, imitated = (found.get((agent, task, way), {}) for way in ("best-of-8", "best-of-1"))
        gains[agent].append(differences(chosen, imitated))
    print(*(f"| {agent} | {describe_differences(tasks)} |" for agent, tasks in gains.items()), sep="\n")


if __name__ == "__main__":
    main()
