"""Knowledge insulation: what a backbone still knows after its robot was trained, and what the robot does, by arm.

    for task in cube-single scene; do
        chunkenv data collect $task --goals train --style task --episodes 1000 --seed 100 --out data/$task
        for seed in 0 1 2; do
            train="chunkenv train vla $task --data data/$task --seed $seed"
            know=results/vla/$task/features/questions/seed$seed/model.safetensors
            $train --arm questions --updates 5000
            for arm in joint joint-tokens insulated frozen tokens; do $train --arm $arm --start-from $know; done
        done
    done
    chunkenv bench run benchmarks/insulation.py                # results/insulation
    python benchmarks/insulation.py results/insulation --plot insulation.png

Every arm begins with the backbone that has learned to answer questions about the scene, and is not asked any more. All
go on after an interruption. The study plays the newest models in results/vla; to play others, give it another folder.

The tables show what is solved with the wordings and combinations of the training, with held-out wordings, and with
held-out combinations of object and place or state; the flow's loss, and the share of right answers before and after,
both on held-out episodes, the same questions for all arms of a seed; and both against the arm "joint", seed by seed.
The last one charges each arm for its latency: every pass of a network takes as long as every other, as where memory is
what limits it, and those of an expert (one of the backbone, 5 of its own) take one tick, so that the 51 of tokens take
9. No chunk of 10 rows outlives that: the robot waits, and plays as many rows as it waited ticks. Intervals are 95 %,
from a bootstrap over seeds (of three: the minimum and the maximum).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
from markdown_tables import heading, line
from qc_study import Seeds, describe_differences, describe_mean, describe_rates, differences, group, read_rows

from chunkenv import ChunkedExecution
from chunkenv.agents.vla import TokenPolicy, VLAPolicy, load_vla, vla_policy
from chunkenv.bench import Cell, Study
from chunkenv.evaluate import Row, episode_seed, play_episode
from chunkenv.training import Metrics, read_metrics
from chunkenv.training.offline_online import with_unit_actions

# Before jax starts: one thread for each worker.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

MODELS, MODEL = Path("results") / "vla", "model.safetensors"
TASKS, SEEDS, EPISODES = ("cube-single", "scene"), (0, 1, 2), 100
ARMS = {
    "joint": "joint",
    "joint-tokens": "joint-tokens",
    "insulated": "insulated",
    "insulated, by tokens": "insulated",
    "frozen": "frozen",
    "tokens": "tokens",
}
"""The arm of the training by what is compared: an insulated model can also be played token by token."""
BY_TOKENS = ("insulated, by tokens", "tokens")
CONTROL = "joint"
ASKED: dict[str, dict[str, str]] = {
    "as trained": {},
    "held-out wordings": {"wordings": "held-out"},
    "held-out combinations": {"goals": "held-out"},
}
"""What differs in the environment, by what is asked."""
ROWS, EXECUTED = 10, 5
DELAYS = (0, 2)
CHARGED, CHARGED_BY_TOKENS = 1, 9
"""Ticks that an inference takes, if the passes of an expert take one."""
FINAL_SEED = 1_000_001
"""The seed of the study: no training plays its episodes."""
RESULTS = {"flow_loss": float, "right_before": float, "right_after": float, "curve": str}
"""Columns of rows, NaN for what an arm has not; `curve` is JSON: steps, loss of the flow, right answers, solve rate."""


@dataclass(frozen=True)
class InstructedCell(Cell):
    """A model by its training, and what it is asked for.

    Attributes:
        task: the family.
        method: one of `ARMS`.
        asked: one of `ASKED`.
        observation: what it sees beside words.
        training_seed: of the training.
    """

    asked: str
    observation: str = "features"
    training_seed: int = 0


def make_study() -> Study:
    """All arms from numbers of the scene: results/insulation."""
    return study("insulation", cells())


def pixels() -> Study:
    """All arms from frames and the robot's state: results/insulation-pixels."""
    return study("insulation-pixels", cells(observation="pixels+robot"))


def cells(
    tasks: Iterable[str] = TASKS,
    seeds: Iterable[int] = SEEDS,
    rows: int = ROWS,
    executed: int = EXECUTED,
    observation: str = "features",
) -> list[InstructedCell]:
    """Every arm with everything that is asked, at each delay; held-out combinations and wordings without delay."""
    found = []
    for task, arm, seed in product(tasks, ARMS, seeds):
        make = partial(InstructedCell, task, arm, observation=observation, training_seed=seed)
        found += [make(0, executed, rows, asked=asked) for asked in ASKED if asked != "as trained"]
        for delay in (*DELAYS, charged_delay(arm)):
            found.append(make(delay, min(max(executed, delay), rows), rows, asked="as trained"))
    return found


def charged_delay(arm: str) -> int:
    """Ticks that an inference of an arm takes, if the passes of an expert take one."""
    return CHARGED_BY_TOKENS if arm in BY_TOKENS else CHARGED


def study(name: str, settings: Sequence[InstructedCell], models: Path = MODELS, episodes: int = EPISODES) -> Study:
    """The study of some cells."""
    player = partial(play, models=models.absolute())
    return Study(
        name, tuple(settings), episodes=episodes, batch=episodes, seed=FINAL_SEED, play=player, results=RESULTS
    )


def play(cell: InstructedCell, episodes: tuple[int, ...], seed: int, models: Path) -> list[Row]:
    """Play these episodes with the model of a cell."""
    folder = models / cell.task / cell.observation
    trained, known = (folder / arm / f"seed{cell.training_seed}" for arm in (ARMS[cell.method], "questions"))
    policy, env = make_policy(cell, trained), make_env(cell, trained)
    try:
        rows = [play_episode(env, policy, episode_seed(seed, episode)) for episode in episodes]
    finally:
        env.close()
    return [{**row, **read_measured(trained, known)} for row in rows]


def make_policy(cell: InstructedCell, folder: Path) -> VLAPolicy | TokenPolicy:
    """The policy of a cell."""
    model = load_vla(folder / MODEL)
    return TokenPolicy(model) if cell.method in BY_TOKENS else vla_policy(model)


def make_env(cell: InstructedCell, folder: Path) -> ChunkedExecution:
    """The environment of the training, but for what is asked; where chunks come too late to go on, the robot waits."""
    made = load_vla(folder / MODEL).facts["environment"]
    env = with_unit_actions(gym.make(made["id"], **{**made["arguments"], **ASKED[cell.asked]}))
    lengths = cell.prediction_horizon, cell.execution_horizon, cell.delay
    return ChunkedExecution(env, *lengths, overlap=2 * cell.delay <= cell.prediction_horizon)


def read_measured(trained: Path, known: Path) -> Row:
    """What the evaluations of a training measured, and what the backbone knew that it began with."""
    lines, before = read_evaluations(trained), read_evaluations(known)
    names = ("steps", "held_out_flow_loss", "right_answers", "solve_rate")
    curve = [[each.get(name) for name in names] for each in lines]
    return {
        "flow_loss": lines[-1].get("held_out_flow_loss", np.nan),
        "right_before": before[-1]["right_answers"],
        "right_after": lines[-1]["right_answers"],
        "curve": json.dumps(curve),
    }


def read_evaluations(folder: Path) -> list[Metrics]:
    """The metrics of all evaluations of a training."""
    return [each for each in read_metrics(folder / "metrics.jsonl") if "right_answers" in each]


def main() -> None:
    """Print the tables of a study."""
    parser = argparse.ArgumentParser(description="Tables and curves of a study.")
    parser.add_argument("folder", type=Path, help="of the study, such as results/insulation")
    parser.add_argument("--plot", type=Path, help="a file for the curves")
    options = parser.parse_args()
    rows = read_rows(options.folder)
    show(rows)
    if options.plot:
        plot(rows, options.plot)


def show(rows: Sequence[Row]) -> None:
    """All tables."""
    found = group(rows, "task", "method", "asked", "delay")
    for table in (success_table(found), following_table(found), knowledge_table(rows), charged_table(found)):
        print("\n".join(table), end="\n\n")


def success_table(found: dict[tuple, Seeds]) -> list[str]:
    """What each arm solves at each delay, and against joint."""
    table = [*heading("task", "d", "arm", "solved, % (each seed)", f"- {CONTROL}, points")]
    for task, delay, arm in product(_values(found, 0), DELAYS, ARMS):
        solved = found.get((task, arm, "as trained", delay), {})
        gain = describe_differences([differences(solved, found.get((task, CONTROL, "as trained", delay), {}))])
        table.append(line(task, str(delay), arm, describe_rates(solved), "" if arm == CONTROL else gain))
    return table


def following_table(found: dict[tuple, Seeds]) -> list[str]:
    """What is solved by what is asked, without delay."""
    table = [*heading("task", "arm", *(f"{asked}, %" for asked in ASKED))]
    for task, arm in product(_values(found, 0), ARMS):
        table.append(line(task, arm, *(describe_rates(found.get((task, arm, asked, 0), {})) for asked in ASKED)))
    return table


def knowledge_table(rows: Sequence[Row]) -> list[str]:
    """The flow's loss, and right answers before and after; the latter against joint."""
    table = [*heading("task", "arm", "loss of the flow", "right before, %", "right after, %", f"- {CONTROL}, points")]
    found = group(rows, "task", "method")
    for task, arm in product(_values(found, 0), ARMS):
        seeds, control = found.get((task, arm), {}), _measured(found.get((task, CONTROL), {}), "right_after")
        loss, before, after = (_measured(seeds, name) for name in ("flow_loss", "right_before", "right_after"))
        gain = [after[seed] - control[seed] for seed in after if seed in control]
        shares = (describe_mean(each.values(), ".0f", unit=100) for each in (before, after))
        points = "" if arm == CONTROL else describe_differences([gain])
        table.append(line(task, arm, describe_mean(loss.values()), *shares, points))
    return table


def charged_table(found: dict[tuple, Seeds]) -> list[str]:
    """What is solved, if the passes of an expert take one tick."""
    table = [*heading("task", "arm", "d", "solved, % (each seed)")]
    for task, arm in product(_values(found, 0), ARMS):
        delay = charged_delay(arm)
        table.append(line(task, arm, str(delay), describe_rates(found.get((task, arm, "as trained", delay), {}))))
    return table


def _measured(seeds: Seeds, name: str) -> dict[int, float]:
    """A column of each seed, which all of its rows share; seeds without are left out."""
    found = {seed: float(np.nan if rows[0][name] is None else rows[0][name]) for seed, rows in seeds.items()}
    return {seed: value for seed, value in found.items() if not np.isnan(value)}


def _values(found: dict[tuple, Seeds], place: int) -> list[str]:
    return sorted({key[place] for key in found})


def plot(rows: Sequence[Row], path: Path) -> None:
    """Loss of the flow, right answers and solve rate by updates, the mean over seeds; a row of panels for each task."""
    names = ("loss of the flow", "right answers", "solved")
    found = group(rows, "task", "method")
    tasks = _values(found, 0)
    size = (3.2 * len(names), 2.6 * len(tasks))
    figure, panels = plt.subplots(len(tasks), len(names), figsize=size, layout="constrained", squeeze=False)
    for (task, arm), seeds in found.items():
        curves = np.array([json.loads(each[0]["curve"]) for each in seeds.values()], float).mean(axis=0)
        for place, name in enumerate(names):
            axes = panels[tasks.index(task), place]
            axes.plot(curves[:, 0], curves[:, 1 + place], label=arm)
            axes.set(title=f"{task}: {name}", xlabel="updates")
    panels[0, 0].legend(fontsize="small")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
