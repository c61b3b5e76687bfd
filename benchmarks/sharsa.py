"""Success by the number of sub-tasks between start and goal, with two levels and with one, late or not (SHARSA).

    for family in puzzle-3x3 cube-double; do
        chunkenv data collect manip-$family-task1 --style play --transitions 1000000 --seed 100 --out data/$family-play
    done
    chunkenv bench run benchmarks/sharsa.py                # both families; :larger adds puzzle-4x4 and cube-quadruple
    python benchmarks/sharsa.py results/sharsa --plot gap.png

trains four agents on the same play, with three seeds each:

- sharsa: sub-goals 25 ticks ahead, the best of 32 by their value; chunks go there;
- hierarchy: one sub-goal, drawn from what the data do; no values;
- flat-n-step: the best of 32 chunks towards the goal itself, by values with targets of 25 ticks;
- flat: one chunk towards the goal itself, imitation.

An agent is trained once, for delays up to 5 ticks: half of its prefixes have 5 rows, the others from 0 to 5. It then
plays goals with k sub-tasks between start and goal, `options={"subtasks": k}`, at each delay. The table has the solve
rates, with the Spearman correlation of the values on play that was held out; the plot the gap of each arm to flat
against k. Intervals are 95 %, from a bootstrap over seeds.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
from qc_study import Seeds, describe_rates, differences, group, read_rows

from chunkenv import ChunkedExecution
from chunkenv.agents import ChunkPolicy, settings_for
from chunkenv.bench import Cell, Study
from chunkenv.bench.analysis import pooled
from chunkenv.data import load
from chunkenv.evaluate import Row, episode_seed, play_episode
from chunkenv.registration import read_id
from chunkenv.training import GoalTraining, GoalTrainingConfig, train_once

# Before jax starts: one thread for each worker.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

DATA, AGENTS = Path("data"), Path("results") / "sharsa_agents"
ARMS = {"sharsa": (True, True), "hierarchy": (True, False), "flat-n-step": (False, True), "flat": (False, False)}
"""Whether each has two levels, and values."""
SUBTASKS = {"puzzle-3x3": 5, "puzzle-4x4": 5, "cube-double": 2, "cube-quadruple": 4}
"""The most sub-tasks that are played, by family."""
CHUNK, DELAYS, SEEDS, EPISODES = 5, (0, 2, 5), (0, 1, 2), 20
FINAL_SEED = 1_000_001
"""The seed of the study: no training plays its episodes."""
RESULTS = {"training_seconds": float, "spearman": float}


@dataclass(frozen=True)
class GoalCell(Cell):
    """An agent by its training, and what it plays.

    Attributes:
        task: the family.
        method: one of `ARMS`.
        subtasks: between start and goal, k.
        updates: of the training.
        hidden: widths of the layers.
        training_seed: of the training.
    """

    subtasks: int
    updates: int = 30_000
    hidden: str = "256,256,256"
    training_seed: int = 0


class Between(gym.Wrapper):
    """Starts and goals with so many sub-tasks between them."""

    def __init__(self, env: gym.Env, subtasks: int) -> None:
        super().__init__(env)
        self._options = {"subtasks": subtasks}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """As the environment's."""
        return super().reset(seed=seed, options=self._options)


def make_study() -> Study:
    """Presses in puzzle-3x3, and cubes in cube-double: results/sharsa."""
    return study("sharsa", cells(("puzzle-3x3", "cube-double")))


def larger() -> Study:
    """Presses in puzzle-4x4, and cubes in cube-quadruple: results/sharsa-larger."""
    return study("sharsa-larger", cells(("puzzle-4x4", "cube-quadruple")))


def trial() -> Study:
    """One cell of each arm, hardly trained, to see that all works: results/sharsa-trial."""
    return study("sharsa-trial", cells(("cube-double",), (1,), (2,), (0,), updates=100, hidden="32"), episodes=2)


def cells(
    families: Iterable[str],
    subtasks: Iterable[int] | None = None,
    delays: Iterable[int] = DELAYS,
    seeds: Iterable[int] = SEEDS,
    **training: Any,
) -> list[GoalCell]:
    """Every arm with every family, number of sub-tasks, delay and seed."""
    lengths = {"execution_horizon": CHUNK, "prediction_horizon": CHUNK + max(DELAYS)}
    return [
        GoalCell(family, arm, delay, **lengths, subtasks=count, training_seed=seed, **training)
        for family in families
        for arm, seed, delay in product(ARMS, seeds, delays)
        for count in subtasks or range(1, SUBTASKS[family] + 1)
    ]


def study(name: str, settings: list[GoalCell], episodes: int = EPISODES) -> Study:
    """The study of some cells."""
    player = partial(play, data=DATA.absolute(), agents=AGENTS.absolute())
    return Study(
        name, tuple(settings), episodes=episodes, batch=episodes, seed=FINAL_SEED, play=player, results=RESULTS
    )


def play(cell: GoalCell, episodes: tuple[int, ...], seed: int, data: Path, agents: Path) -> list[Row]:
    """Train the agent if it is missing, and play these episodes."""
    folder = agents / cell.task / cell.method / f"updates={cell.updates} hidden={cell.hidden} seed{cell.training_seed}"
    training = train_once(lambda: make_training(cell, data), folder)
    spearman = float("nan") if training.spearman is None else training.spearman
    measured = {"training_seconds": training.seconds, "spearman": spearman}
    policy, env = ChunkPolicy(training.agent), make_env(cell)
    try:
        rows = [play_episode(env, policy, episode_seed(seed, episode)) for episode in episodes]
    finally:
        env.close()
    return [{**row, **measured} for row in rows]


def make_training(cell: GoalCell, data: Path) -> GoalTraining:
    """The training of a cell, before its first step."""
    hierarchy, values = ARMS[cell.method]
    widths = tuple(int(width) for width in cell.hidden.split(","))
    settings = settings_for(
        "sharsa", CHUNK, max(DELAYS), discount=0.995, hidden=widths, hierarchy=hierarchy, values=values
    )
    config = GoalTrainingConfig(read_id(cell.task), updates=cell.updates, evaluate_every=cell.updates, episodes=1)
    return GoalTraining(config, "sharsa", settings, load(data / f"{cell.task}-play"), cell.training_seed)


def make_env(cell: GoalCell) -> ChunkedExecution:
    """The environment of a cell, whose actions are from -1 to 1 as they are."""
    env = Between(gym.make(read_id(cell.task)), cell.subtasks)
    return ChunkedExecution(env, cell.prediction_horizon, cell.execution_horizon, cell.delay)


def main() -> None:
    """Print the tables, and plot the gaps."""
    parser = argparse.ArgumentParser(description="Tables and gaps of a study.")
    parser.add_argument("folder", type=Path, help="of the study, such as results/sharsa")
    parser.add_argument("--plot", type=Path, help="a file for the gaps")
    options = parser.parse_args()
    found = group(read_rows(options.folder), "task", "subtasks", "delay", "method")
    show(found)
    if options.plot:
        plot(found, options.plot)


def show(found: dict[tuple, Seeds]) -> None:
    """The table of solve rates, and how well values rank goals."""
    print(f"| family | k | d | {' | '.join(ARMS)} |\n|---|---|---|{'---|' * len(ARMS)}")
    for family, count, delay in sorted({place[:3] for place in found}):
        rates = [describe_rates(found.get((family, count, delay, arm), {})) for arm in ARMS]
        print(f"| {family} | {count} | {delay} | {' | '.join(rates)} |")
    print("\n| family | arm | Spearman of values, each seed |\n|---|---|---|")
    for family, arm in product(sorted({place[0] for place in found}), ARMS):
        ranks = {seed: rows[0]["spearman"] for place, seeds in found.items() for seed, rows in seeds.items()
                 if (place[0], place[3]) == (family, arm)}  # fmt: skip
        if ARMS[arm][1]:
            print(f"| {family} | {arm} | {', '.join(f'{rank:.2f}' for rank in ranks.values())} |")


def plot(found: dict[tuple, Seeds], path: Path) -> None:
    """The gap of each arm to flat in points, against k; a panel for each family and delay."""
    families, delays = sorted({place[0] for place in found}), sorted({place[2] for place in found})
    size = (3.2 * len(delays), 2.8 * len(families))
    figure, panels = plt.subplots(
        len(families), len(delays), figsize=size, layout="constrained", sharey=True, squeeze=False
    )
    for (row, family), (column, delay) in product(enumerate(families), enumerate(delays)):
        axes, counts = panels[row, column], sorted({place[1] for place in found if place[0] == family})
        for arm in [arm for arm in ARMS if arm != "flat"]:
            gaps = np.array([gap(found, family, count, delay, arm) for count in counts])
            axes.errorbar(counts, gaps[:, 0], abs(gaps[:, 1:] - gaps[:, :1]).T, label=arm, marker="o", capsize=2)
        axes.axhline(0, color="grey", linewidth=0.8)
        axes.set(title=f"{family}, d = {delay}", xlabel="sub-tasks", xticks=counts)
    panels[0, 0].set_ylabel("points above flat")
    panels[0, 0].legend()
    figure.savefig(path, dpi=120)


def gap(found: dict[tuple, Seeds], family: str, count: int, delay: int, arm: str) -> tuple[float, float, float]:
    """The mean difference to flat over seeds in points, and its interval; NaN where there is none."""
    one, flat = (found.get((family, count, delay, each), {}) for each in (arm, "flat"))
    known = differences(one, flat)
    if not known:
        return np.nan, np.nan, np.nan
    mean, low, high = (100 * value for value in pooled([known]))
    return mean, low, high


if __name__ == "__main__":
    main()
