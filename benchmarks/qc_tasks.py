"""Agents of the Q-chunking family on long tasks, from the same data: how many episodes each solves, over seeds.

    chunkenv data collect manip-cube-double-task2 --style play --episodes 500 --seed 100 --out data/cube-double
    python benchmarks/qc_tasks.py --data data/cube-double --agents qc qc-fql fql bfn-n --seeds 0 1 2 \
        --offline-steps 5000 --online-steps 10000 --out results/qc_tasks

trains each agent offline, then online, as `chunkenv train qc` does, and plays the last weights for `--final` episodes
that no training has seen. What is there is not done again, and what was interrupted goes on; several processes may
share the folder if they have different `--seeds` or `--agents`, each on a core of its own:
`taskset -c 0 env XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1" python ...`.

The tables are made of all that the folder holds: what each agent solves, and the differences between any two of them,
seed by seed, in points. Intervals are of 95 %, from a bootstrap over seeds (of three: from the least to the most): they
tell how a new seed would do. `minutes` are those of training alone, evaluations not counted. `--plot curves.png` draws
what the evaluations on the way solved: the mean over seeds, and each seed.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from chunkenv import data
from chunkenv.agents import registry as q_agents
from chunkenv.agents.policies.chunk_policy import ChunkPolicy
from chunkenv.agents.qc import DTYPES, TARGET_SAMPLERS
from chunkenv.bench.analysis.intervals import pooled
from chunkenv.data.environments import environment_of
from chunkenv.evaluate import evaluate
from chunkenv.training.metrics import read
from chunkenv.training.offline_online import Plan, Training, resume_or_begin, train

FINAL_SEED = 1_000_001
"""Episodes that no training plays: its own have seeds from twice its seed."""
RESULT = "final.json"


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="folders of datasets; none: the table only")
    parser.add_argument("--agents", nargs="+", default=["qc", "qc-fql"], choices=list(q_agents.RECIPES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--chunk", type=int, help="actions that an inference decides, of agents that decide several")
    parser.add_argument("--backup", type=int, help="ticks of the backup, if not the agent's own")
    add_training_options(parser)
    parser.add_argument("--out", type=Path, default=Path("results") / "qc_tasks")
    parser.add_argument("--plot", type=Path, help="a file for the curves")
    options = parser.parse_args()
    lengths = {key: getattr(options, key) for key in ("chunk", "backup") if getattr(options, key) is not None}
    for seed in options.seeds:
        for folder in options.data:
            for agent in options.agents:
                finish(*trained(options, folder, agent, seed, **lengths), options)
    found = results(options.out)
    if not found:
        parser.error(f"{options.out} holds no results; give --data, or another --out")
    show(found)
    if options.plot:
        plot(found, options.plot)


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """What all trainings of a study have in common."""
    parser.add_argument("--hidden", default="256,256,256")
    parser.add_argument("--samples", type=int, default=8, help="chunks that qc chooses from")
    parser.add_argument("--target-sampler", choices=TARGET_SAMPLERS, default="flow", help="of qc")
    parser.add_argument("--target-steps", type=int, help="flow steps in targets of qc; 10 if not given")
    parser.add_argument("--target-dtype", choices=DTYPES, default="float32", help="of qc")
    parser.add_argument("--offline-steps", type=int, default=5000)
    parser.add_argument("--online-steps", type=int, default=10_000)
    parser.add_argument("--evaluate-every", type=int, default=2500)
    parser.add_argument("--episodes", type=int, default=20, help="of an evaluation on the way")
    parser.add_argument("--final", type=int, default=50, help="episodes of the last evaluation")


def trained(options: Any, folder: Path, agent: str, seed: int, **horizons: Any) -> tuple[Training, Path]:
    """A training that is done, and the folder that it is in."""
    name = "-".join([agent, *(f"{key}{value}" for key, value in horizons.items())])
    dataset = data.load(folder)
    found = environment_of(dataset.info)
    target = {key: getattr(options, key) for key in ("target_sampler", "target_steps", "target_dtype")}
    asked = {"samples": options.samples, **target} if agent == "qc" else {}
    widths = tuple(int(width) for width in options.hidden.split(","))
    settings = q_agents.settings_for(agent, hidden=widths, **asked, **horizons)
    plan = Plan(
        found.id,
        found.arguments,
        offline_steps=options.offline_steps,
        online_steps=options.online_steps,
        evaluate_every=options.evaluate_every,
        episodes=options.episodes,
    )
    place = options.out / folder.name / name / f"seed{seed}"
    training = resume_or_begin(plan, agent, settings, dataset, seed, place)
    for metrics in train(training, place):
        if "solve_rate" in metrics:
            print(
                f"{place}: {metrics['steps']:,} steps, {metrics['solve_rate']:.0%}, {metrics['seconds']:.0f} s",
                flush=True,
            )
    return training, place


def finish(training: Training, place: Path, options: Any) -> None:
    """Write what the last weights solve, and how it came to that."""
    if not (place / RESULT).exists():
        rows = played(training, ChunkPolicy(training.agent), options.final)
        curve = [[line["steps"], line["solve_rate"]] for line in read(place / "metrics.jsonl")]
        result = {"success": rows, "curve": curve, "seconds": training.seconds, "steps": training.steps}
        (place / RESULT).write_text(json.dumps(result), encoding="utf-8")


def played(training: Training, policy: Any, episodes: int) -> list[bool]:
    """Which of these episodes a policy solves in the training's environment."""
    rows = evaluate(lambda: training.make_env(training.agent.settings), policy, episodes, FINAL_SEED)
    return [bool(row["success"]) for row in rows]


Found = dict[tuple[str, str], dict[str, dict[str, Any]]]
"""For each task and agent the result of each seed."""


def results(out: Path) -> Found:
    """All that the folder holds."""
    found: Found = defaultdict(dict)
    for path in sorted(out.glob(f"*/*/*/{RESULT}")):
        task, agent, seed = path.relative_to(out).parts[:3]
        found[task, agent][seed] = json.loads(path.read_text(encoding="utf-8"))
    return found


def names(found: Found) -> tuple[list[str], list[str]]:
    """Of all tasks, and of all agents."""
    return sorted({task for task, _ in found}), sorted({agent for _, agent in found})


def show(found: Found) -> None:
    """The table of it, and that of the differences between agents if there are several."""
    print("| task | agent | seeds | steps | minutes | solved, % (each seed) |\n|---|---|---|---|---|---|")
    for (task, agent), seeds in found.items():
        minutes = np.mean([result["seconds"] for result in seeds.values()]) / 60
        steps = int(np.mean([result["steps"] for result in seeds.values()]))
        print(f"| {task} | {agent} | {len(seeds)} | {steps:,} | {minutes:.1f} | {shown([*solved(seeds).values()])} |")
    if len(names(found)[1]) > 1:
        show_differences(found)


def show_differences(found: Found) -> None:
    """A row for each two agents, a column for each task."""
    tasks, agents = names(found)
    print(f"\n| points | {' | '.join(tasks)} | all |\n|---|{'---|' * len(tasks)}---|")
    for first, second in combinations(reversed(agents), 2):
        each = {task: differences(found[task, first], found[task, second]) for task in tasks}
        cells = [points([gains]) for gains in each.values()]
        print(f"| {first} - {second} | {' | '.join([*cells, points([*each.values()])])} |")


def solved(seeds: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The share of episodes that each seed's agent solved."""
    return {seed: float(np.mean(result["success"])) for seed, result in seeds.items()}


def differences(first: dict[str, dict[str, Any]], second: dict[str, dict[str, Any]]) -> list[float]:
    """Of the shares, for each seed that both have."""
    ones, others = solved(first), solved(second)
    return [ones[seed] - others[seed] for seed in ones if seed in others]


def points(tasks: list[list[float]]) -> str:
    """The mean difference over tasks and seeds, with its interval where there are several seeds."""
    there = [task for task in tasks if task]
    if not there:
        return ""
    mean, low, high = pooled(there)
    return f"{100 * mean:+.0f}" + ("" if np.isnan(low) else f" [{100 * low:+.0f}, {100 * high:+.0f}]")


def plot(found: Found, path: Path) -> None:
    """Solved on the way, a panel for each task: the mean over seeds, and fainter each seed."""
    tasks, agents = names(found)
    figure, panels = plt.subplots(1, len(tasks), figsize=(3.6 * len(tasks), 3.2), layout="constrained", sharey=True)
    for task, axes in zip(tasks, np.atleast_1d(panels), strict=True):
        for colour, agent in enumerate(agents):
            curves = [np.array(result["curve"]) for result in found[task, agent].values()]
            if not curves:
                continue
            told = min(map(len, curves))
            steps = np.mean([curve[:told, 0] for curve in curves], 0)  # evaluations wait for an episode's end
            rates = 100 * np.array([curve[:told, 1] for curve in curves])
            axes.plot(steps / 1000, rates.T, color=f"C{colour}", alpha=0.25, linewidth=1)
            axes.plot(steps / 1000, rates.mean(0), color=f"C{colour}", marker="o", markersize=3, label=agent)
        axes.set(title=task, xlabel="thousand steps", ylim=(-2, 102))
    np.atleast_1d(panels)[0].set_ylabel("solved, %")
    np.atleast_1d(panels)[0].legend()
    figure.savefig(path, dpi=120)


def shown(shares: list[Any]) -> str:
    """The mean over seeds, with its interval where there are several, and each seed's, in percent."""
    mean, low, high = pooled([[share] for share in shares])
    between = "" if np.isnan(low) else f" [{100 * low:.0f}, {100 * high:.0f}]"
    return f"{100 * mean:.0f}{between} ({', '.join(f'{100 * share:.0f}' for share in shares)})"


if __name__ == "__main__":
    main()
