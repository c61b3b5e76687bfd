"""Success by the weight of guidance, chosen when acting, and by the delay (CFGRL): a heat map for each task.

    for family in cube-single cube-double scene puzzle-3x3; do
        chunkenv data collect manip-$family-task1 --style play --transitions 1000000 --seed 100 --out data/$family-play
    done
    for level in cartpole_thrust hard_lunar_lander mjc_half_cheetah mjc_walker; do
        chunkenv train ppo $level --recipe published
        chunkenv data collect $level --experts results/experts/$level/seed0 --solve-rate 0 --transitions 1000000 \
            --out data/$level-mixed
    done
    chunkenv bench run benchmarks/cfgrl.py                 # :inpainted is the same under Real-Time Chunking
    python benchmarks/cfgrl.py results/cfgrl --plot guidance.png

trains one agent for each task and each of three seeds, by which all weights and delays are played: goals on play of the
four families (form "goal"), and the sign of the advantage on the mixed data of the four levels (form "advantage"), to
which all checkpoints of a training of experts contribute, from a solve rate of a quarter on. Weight 1 is imitation with
a condition, 0 imitation without.

The tables show solve rates by weight and delay; then, for each delay, the weight that is best over seeds, and what it
gains over weight 1, seed by seed. The best of seven weights on the same episodes is too good by a little: `--chosen`
takes the weight that is best with the *other* seeds. Intervals are 95 %, from a bootstrap over seeds. A chunk with any
weight but 0 and 1 takes two evaluations of the network a step: `denoiser_evaluations` of the rows counts them.
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
from gymnasium.vector import AutoresetMode
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from qc_study import Seeds, describe_rates, group, read_rows, solve_rates

from chunkenv.agents import CFGRL, GuidedPolicy, settings_for
from chunkenv.bench import Cell, Study
from chunkenv.bench.analysis import pooled
from chunkenv.data import load
from chunkenv.evaluate import Row, evaluate_batch
from chunkenv.registration import ACTION_NOISE, LEVELS, environment_of, read_id
from chunkenv.strategies import RTC, Naive
from chunkenv.training import GoalTraining, GoalTrainingConfig, OfflineOnlineTraining, TrainingConfig, train_once

# Before jax starts: one thread for each worker.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

DATA, AGENTS = Path("data"), Path("results") / "cfgrl_agents"
FAMILIES = ("cube-single", "cube-double", "scene", "puzzle-3x3")
MIXED = ("cartpole_thrust", "hard_lunar_lander", "mjc_half_cheetah", "mjc_walker")
WEIGHTS = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
DELAYS, SEEDS = (0, 1, 2, 4), (0, 1, 2)
ROWS, HORIZON = 8, 4
"""Rows of a chunk, and ticks between two inferences."""
EPISODES, SLOTS = 50, 10
FINAL_SEED = 1_000_001
"""The seed of the study: no training plays its episodes."""
STRATEGIES = {"naive": Naive, "rtc": RTC}
RESULTS = {"training_seconds": float}


@dataclass(frozen=True)
class GuidedCell(Cell):
    """An agent by its training, and how it plays.

    Attributes:
        task: a family, or a level.
        method: one of `STRATEGIES`.
        guidance: the weight.
        updates: of the training.
        hidden: widths of the layers.
        training_seed: of the training.
    """

    guidance: float
    updates: int = 50_000
    hidden: str = "256,256,256,256"
    training_seed: int = 0


def make_study() -> Study:
    """All weights and delays, the newest chunk acts as soon as it is there: results/cfgrl."""
    return study("cfgrl", cells((*FAMILIES, *MIXED)))


def inpainted() -> Study:
    """The same, but guided chunks are inpainted around what is left: results/cfgrl-inpainted."""
    return study("cfgrl-inpainted", cells((*FAMILIES, *MIXED), "rtc"))


def trial() -> Study:
    """A few cells, hardly trained, to see that all works: results/cfgrl-trial."""
    tasks = (FAMILIES[0], MIXED[0])
    return study("cfgrl-trial", cells(tasks, "rtc", (1.0, 3.0), (0, 2), (0,), updates=100, hidden="32"), 2)


def cells(
    tasks: Iterable[str],
    method: str = "naive",
    weights: Iterable[float] = WEIGHTS,
    delays: Iterable[int] = DELAYS,
    seeds: Iterable[int] = SEEDS,
    *,
    updates: int = GuidedCell.updates,
    hidden: str = GuidedCell.hidden,
) -> list[GuidedCell]:
    """Every task with every seed, weight and delay."""
    return [
        GuidedCell(task, method, delay, HORIZON, ROWS, weight, updates, hidden, seed)
        for task, seed, weight, delay in product(tasks, seeds, weights, delays)
    ]


def study(name: str, chosen: list[GuidedCell], episodes: int = EPISODES) -> Study:
    """The study of some cells."""
    player = partial(play, data=DATA.absolute(), agents=AGENTS.absolute())
    return Study(name, tuple(chosen), play=player, episodes=episodes, batch=episodes, seed=FINAL_SEED, results=RESULTS)


def play(cell: GuidedCell, episodes: tuple[int, ...], seed: int, data: Path, agents: Path) -> list[Row]:
    """Train the agent if it is missing, and play these episodes with the cell's weight."""
    folder = agents / cell.task / f"updates={cell.updates} hidden={cell.hidden}" / f"seed{cell.training_seed}"
    training = train_once(lambda: make_training(cell, data), folder)
    agent = training.agent
    assert isinstance(agent, CFGRL)
    policy = STRATEGIES[cell.method](GuidedPolicy(agent.with_guidance(cell.guidance)))
    rows = evaluate_batch(partial(make_envs, cell, training.config), policy, episodes, seed, min(SLOTS, len(episodes)))
    return [{**row, "training_seconds": training.seconds} for row in rows]


def make_training(cell: GuidedCell, data: Path) -> GoalTraining | OfflineOnlineTraining:
    """The training of a cell, before its first step; its own evaluation is of one episode, at the end."""
    form = "advantage" if cell.task in LEVELS else "goal"
    widths = tuple(int(width) for width in cell.hidden.split(","))
    settings = settings_for("cfgrl", ROWS, form=form, hidden=widths)
    rest: dict[str, Any] = {"evaluate_every": cell.updates, "episodes": 1}
    if form == "goal":
        config = GoalTrainingConfig(read_id(cell.task), updates=cell.updates, **rest)
        return GoalTraining(config, "cfgrl", settings, load(data / f"{cell.task}-play"), cell.training_seed)
    dataset = load(data / f"{cell.task}-mixed")
    env = environment_of(dataset.info)
    assert env is not None
    config = TrainingConfig(env.id, env.arguments, offline_steps=cell.updates, online_steps=0, **rest)
    return OfflineOnlineTraining(config, "cfgrl", settings, dataset, cell.training_seed)


def make_envs(cell: GuidedCell, config: GoalTrainingConfig | TrainingConfig, slots: int) -> Any:
    """The environment of the training, late; levels with the noise of their data."""
    noise: dict[str, Any] = {"action_noise": ACTION_NOISE} if cell.task in LEVELS else {}
    return gym.make_vec(
        config.id,
        slots,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.DISABLED,
        prediction_horizon=cell.prediction_horizon,
        execution_horizon=cell.execution_horizon,
        latency=cell.delay,
        threads=1,
        **config.arguments,
        **noise,
    )


def main() -> None:
    """Print the tables of a study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the study, such as results/cfgrl")
    parser.add_argument("--plot", type=Path, help="a file for the heat maps")
    parser.add_argument("--chosen", action="store_true", help="choose each seed's weight by the other seeds")
    options = parser.parse_args()
    found = group(read_rows(options.folder), "task", "guidance", "delay")
    show_rates(found)
    show_gains(found, options.chosen)
    if options.plot:
        plot(found, options.plot)


def show_rates(found: dict[tuple, Seeds]) -> None:
    """A table for each task: solve rates in percent by weight and delay."""
    for task in values(found, 0):
        weights, delays = values(found, 1), values(found, 2)
        print(f"\n{task}\n| d | {' | '.join(f'w = {weight:g}' for weight in weights)} |\n|---|{'---|' * len(weights)}")
        for delay in delays:
            rates = [describe_rates(found.get((task, weight, delay), {})) for weight in weights]
            print(f"| {delay} | {' | '.join(rates)} |")


def show_gains(found: dict[tuple, Seeds], chosen: bool) -> None:
    """For each task and delay the best weight, and its gain over weight 1."""
    print("\n| task | d | best w | gain over w = 1, points |\n|---|---|---|---|")
    for task, delay in product(values(found, 0), values(found, 2)):
        rates = {weight: solve_rates(found.get((task, weight, delay), {})) for weight in values(found, 1)}
        seeds = sorted(set.intersection(*(set(each) for each in rates.values())))
        if not seeds or 1.0 not in rates:
            continue
        best = best_weight(rates, seeds)
        picked = {seed: best_weight(rates, [each for each in seeds if each != seed] or seeds) for seed in seeds}
        gains = [rates[picked[seed] if chosen else best][seed] - rates[1.0][seed] for seed in seeds]
        mean, low, high = (100 * number for number in pooled([gains]))
        interval = "" if np.isnan(low) else f" [{low:+.0f}, {high:+.0f}]"
        print(f"| {task} | {delay} | {best:g} | {mean:+.0f}{interval} |")


def best_weight(rates: dict[float, dict[int, float]], seeds: list[int]) -> float:
    """The weight with the highest mean solve rate over some seeds; of equals the smallest."""
    return max(sorted(rates), key=lambda weight: np.mean([rates[weight][seed] for seed in seeds]))


def values(found: dict[tuple, Seeds], place: int) -> list:
    """What stands at a place of the settings, in order."""
    return sorted({setting[place] for setting in found})


def plot(found: dict[tuple, Seeds], path: Path) -> None:
    """A heat map for each task: the mean solve rate by weight and delay, the best weight of each delay framed."""
    tasks, weights, delays = (values(found, place) for place in range(3))
    figure, panels = plt.subplots(1, len(tasks), figsize=(2.9 * len(tasks), 2.6), layout="constrained", squeeze=False)
    for task, axes in zip(tasks, panels[0], strict=True):
        rates = np.array([[mean_rate(found.get((task, weight, delay), {})) for weight in weights] for delay in delays])
        axes.imshow(rates, aspect="auto", vmin=0, vmax=100)
        for row, column in np.ndindex(rates.shape):
            if np.isfinite(rates[row, column]):
                axes.text(column, row, f"{rates[row, column]:.0f}", ha="center", va="center", fontsize=7, color="w")
        for row in range(len(delays)):
            if np.isfinite(rates[row]).any():
                frame = Rectangle((np.nanargmax(rates[row]) - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="r")
                axes.add_patch(frame)
        axes.set_xticks(range(len(weights)), [f"{weight:g}" for weight in weights])
        axes.set_yticks(range(len(delays)), [str(delay) for delay in delays])
        axes.set(title=task, xlabel="weight w", ylabel="delay d, ticks")
    figure.colorbar(ScalarMappable(Normalize(0, 100)), ax=panels[0].tolist(), label="solved, %")
    figure.savefig(path, dpi=120)


def mean_rate(seeds: Seeds) -> float:
    """In percent, over seeds; NaN without any."""
    rates = list(solve_rates(seeds).values())
    return 100 * float(np.mean(rates)) if rates else float("nan")


if __name__ == "__main__":
    main()
