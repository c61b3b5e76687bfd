"""What solves a task: what an agent imitates, or what its critics choose? Agents of `qc_tasks.py`, taken apart.

    python benchmarks/qc_tasks.py --data data/scene --agents qc fql --out results/qc_tasks
    python benchmarks/qc_parts.py --data data/scene --agents qc fql --runs results/qc_tasks

plays each of them in the environment of its data, in the episodes of that study's last evaluation:

- imitation: the flow inside the agent alone, which does what the data do, in chunks or one action at a time;
- best of N: of N draws of that flow the one that the agent's critics give most for. The way to choose is the same for
  all agents, so what differs is imitation and critics.

What the agent itself solves, which may have a policy of its own, is from the study. What is there is not done again.
Intervals are of 95 %, from a bootstrap over seeds.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from qc_tasks import FINAL_SEED, differences, points, results, shown, solved

from chunkenv import data
from chunkenv.agents import registry as q_agents
from chunkenv.agents.policies.behaviour_policy import BehaviourPolicy, chunk_values
from chunkenv.data.environments import environment_of
from chunkenv.evaluate.batch import evaluate_batch
from chunkenv.strategies import BestOf
from chunkenv.training.metrics import read

CELLS = "parts.jsonl"


def main() -> None:
    """Play what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("results") / "qc_tasks", help="what qc_tasks.py left")
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="folders of datasets; none: the table only")
    parser.add_argument("--agents", nargs="+", default=["qc", "qc-fql", "fql", "fql-n"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--samples", type=int, nargs="+", default=[1, 8], help="each N; 1 is imitation")
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--slots", type=int, default=10, help="episodes played side by side; rows don't depend on it")
    options = parser.parse_args()
    for seed in options.seeds:
        for folder in options.data:
            for agent in options.agents:
                play_all(options, folder, options.runs / folder.name / agent / f"seed{seed}")
    show(options)


def play_all(options: Any, folder: Path, place: Path) -> None:
    """Append a line with the successes of each N that is missing to the agent's folder."""
    done = {(line["samples"], line["episodes"]) for line in read(place / CELLS)}
    agent, found = q_agents.load(place / "agent.safetensors"), environment_of(data.load(folder).info)
    for samples in options.samples:
        if (samples, options.episodes) not in done:
            make_envs = partial(made, found, agent.settings.horizons)
            rows = evaluate_batch(make_envs, best_of(agent, samples), options.episodes, FINAL_SEED, options.slots)
            cell = {"samples": samples, "episodes": options.episodes, "success": [bool(row["success"]) for row in rows]}
            with (place / CELLS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(cell) + "\n")
            print(f"{place}: best of {samples} solves {np.mean(cell['success']):.0%}", flush=True)


def made(found: Any, horizons: Any, slots: int) -> Any:
    """So many of the environment of the data, in chunks as the agent learned them."""
    return gym.make_vec(
        found.id,
        slots,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.DISABLED,
        prediction_horizon=horizons.prediction_horizon,
        execution_horizon=horizons.chunk,
        latency=horizons.delay,
        **found.arguments,
    )


def best_of(agent: Any, samples: int) -> Any:
    """The agent's flow, alone or as its critics choose from it."""
    policy = BehaviourPolicy(agent)
    return policy if samples == 1 else BestOf(policy, chunk_values(agent), samples)


def show(options: Any) -> None:
    """The table of all that was played, and what choosing from the most draws adds to imitation."""
    whole, most, gains = results(options.runs), max(options.samples), defaultdict(list)
    ways = [f"best of {samples}" if samples > 1 else "imitation" for samples in options.samples]
    print(f"| task | agent | {' | '.join(ways)} | as it is |\n|---|---|{'---|' * len(ways)}---|")
    for runs in sorted({path.parent.parent for path in options.runs.glob(f"*/*/*/{CELLS}")}):
        task, agent = runs.parent.name, runs.name
        cells = {samples: played_by(runs, samples, options.episodes) for samples in options.samples}
        told = [shown([*solved(seeds).values()]) if seeds else "" for seeds in (*cells.values(), whole[task, agent])]
        print(f"| {task} | {agent} | {' | '.join(told)} |")
        gains[agent].append(differences(cells[most], cells.get(1, {})))
    if most > 1 and 1 in options.samples:
        print(f"\n| agent | best of {most} - imitation, points over all tasks |\n|---|---|")
        print(*(f"| {agent} | {points(tasks)} |" for agent, tasks in gains.items()), sep="\n")


def played_by(runs: Path, samples: int, episodes: int) -> dict[str, dict[str, Any]]:
    """The line of each seed about the best of so many, over so many episodes."""
    asked = {"samples": samples, "episodes": episodes}
    lines = {path.parent.name: read(path) for path in sorted(runs.glob(f"*/{CELLS}"))}
    return {seed: line for seed, those in lines.items() for line in those if asked.items() <= line.items()}


if __name__ == "__main__":
    main()
