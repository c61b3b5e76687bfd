"""Updates and seconds that each optimizer needs until Adam's final loss, with its learning rate swept.

    chunkenv data collect grasp_easy --experts EXPERTS --out data/grasp_easy       # and mjc_walker; docs/howto/data.md
    chunkenv data collect cube-single --style play --episodes 120 --out data/cube-single-play
    chunkenv bench run benchmarks/optimizers.py                    # flow policies, and the critic of QC-FQL
    chunkenv bench run benchmarks/optimizers.py:widths             # the best learning rate at widths 64, 128, 256
    python benchmarks/optimizers.py results/optimizers --plot optimizers.png
    python benchmarks/optimizers.py results/optimizers-widths --widths --plot widths.png

Each cell is a training; its last weights play 32 episodes. Every 100 updates (500 for agents) the weights that act are
measured on windows that are always the same: a flow policy by its loss, on held-out episodes and with fixed noise, an
agent by the error of its critics. Adam and Muon with averaged weights are controls: a part of what SPlus gains is the
average. Seconds are of the processor; they hold the renewal of bases, but no evaluation. Intervals are 95 %, from a
bootstrap over seeds; each seed is judged at the learning rate that is best for the others.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium as gym
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from gymnasium.vector import AutoresetMode
from qc_study import read_rows

from chunkenv.agents import Architecture, ChunkPolicy, FlowSettings, settings_for, with_optimizer
from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.flow_matching import loss
from chunkenv.bench import Cell, Study
from chunkenv.bench.analysis import pooled
from chunkenv.data import Windows, load, split_episodes
from chunkenv.data.replay_buffer import draw_batch
from chunkenv.evaluate import Row, evaluate_batch
from chunkenv.registration import environment_of
from chunkenv.training import FlowTraining, OfflineOnlineTraining, TrainingConfig, read_metrics, train_once
from chunkenv.training.metrics import Metrics

# Before jax starts: one thread for each worker.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

DATA, TRAININGS = Path("data"), Path("results") / "optimizers_trained"
LEVELS = ("grasp_easy", "mjc_walker")
CUBE = "cube-single-play"
SEEDS = (0, 1, 2)
"""Of trainings."""
UPDATES = 4000
RATES = {
    "flow": {"adam": (1e-3, 3e-3, 1e-2, 3e-2), "muon": (1e-3, 3e-3, 1e-2, 3e-2), "splus": (0.03, 0.1, 0.3, 1.0)},
    "critic": {"adam": (1e-4, 3e-4, 1e-3, 3e-3), "muon": (1e-4, 3e-4, 1e-3, 3e-3), "splus": (0.03, 0.1, 0.3, 1.0)},
}
ARMS = (("adam", 0), ("adam", 1), ("muon", 1), ("splus", 1))
"""Optimizers, and whether their weights are averaged."""
WIDTHS = (64, 128, 256)
DELAY = 0
HORIZONS = {"flow": (4, 8), "critic": (5, 5)}
"""Of the execution, and of the prediction."""
HELD_OUT = 0.1
"""The share of the episodes that the loss of a flow policy is measured on."""
WINDOWS = 4096
"""Of a measurement."""
MEASURE_EVERY = {"flow": 100, "critic": 500}
"""Updates."""
EPISODES, SLOTS = 32, 16
FINAL_SEED = 1_000_001
"""The seed of the study: no training plays its episodes."""
RESULTS = {"curve": str}
"""A column of rows: JSON, the updates, the loss and the seconds of each measurement."""


@dataclass(frozen=True)
class OptimizerCell(Cell):
    """A training.

    Attributes:
        kind: "flow", a flow policy, or "critic", QC-FQL offline.
        optimizer: its name.
        averaged: 1 if the weights that act are averaged.
        learning_rate: at its highest.
        width: of the hidden layers.
        updates: of the weights.
        training_seed: of the training.
    """

    kind: str
    optimizer: str
    averaged: int
    learning_rate: float
    width: int
    updates: int
    training_seed: int = 0


class MeasuredFlow(FlowTraining):
    """A flow policy, whose loss on held-out episodes is measured now and then."""

    def __init__(self, cell: OptimizerCell, data: Path) -> None:
        dataset = load(data / cell.task)
        learned, held_out = split_episodes(dataset, HELD_OUT)
        architecture = Architecture(width=cell.width, hidden=2 * cell.width)
        settings = descending(cell, FlowSettings(architecture=architecture, updates=cell.updates))
        windows = Windows(dataset, cell.prediction_horizon, episodes=learned)
        super().__init__(windows, settings, cell.training_seed, {"level": dataset.info["level"]})
        self.evaluate_every = MEASURE_EVERY["flow"]
        self._seconds, self._measure = (
            0.0,
            measured_flow_loss(Windows(dataset, cell.prediction_horizon, episodes=held_out)),
        )

    def advance(self) -> Metrics:
        """As `FlowTraining.advance`, timed."""
        begun = time.process_time()
        metrics = super().advance()
        self._seconds += time.process_time() - begun
        return metrics

    def evaluate(self) -> Metrics:
        """The loss of the policy as it is now."""
        return {"measured": self._measure(self.policy()), "cpu_seconds": self._seconds}

    def state(self) -> tuple[Arrays, Facts]:
        """With the seconds."""
        return super().state()[0], {"cpu_seconds": self._seconds}

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        super().restore(arrays, facts)
        self._seconds = facts["cpu_seconds"]


class MeasuredAgent(OfflineOnlineTraining):
    """QC-FQL offline, whose critics' error is measured on windows that are always the same."""

    def __init__(self, cell: OptimizerCell, data: Path) -> None:
        dataset = load(data / cell.task)
        env = environment_of(dataset.info)
        every = MEASURE_EVERY["critic"]
        config = TrainingConfig(
            env.id, env.arguments, offline_steps=cell.updates, online_steps=0, evaluate_every=every, episodes=1
        )
        settings = descending(cell, settings_for("qc-fql", hidden=(cell.width,) * 3))
        super().__init__(config, "qc-fql", settings, dataset, cell.training_seed)
        self._cpu_seconds = 0.0

    def advance(self) -> Metrics:
        """As `OfflineOnlineTraining.advance`, timed."""
        begun = time.process_time()
        metrics = super().advance()
        self._cpu_seconds += time.process_time() - begun
        return metrics

    def evaluate(self) -> Metrics:
        """The squared error of the critics that act."""
        agent = self.agent.acting()
        batch = draw_batch([self._offline], np.random.default_rng(0), WINDOWS, agent.settings.horizons, False)
        return {"measured": float(_critic_error(agent, batch)), "cpu_seconds": self._cpu_seconds}

    def state(self) -> tuple[Arrays, Facts]:
        """With the seconds."""
        arrays, facts = super().state()
        return arrays, {**facts, "cpu_seconds": self._cpu_seconds}

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        super().restore(arrays, facts)
        self._cpu_seconds = facts["cpu_seconds"]


@jax.jit
def _critic_error(agent: Any, batch: Any) -> jax.Array:
    return agent.loss(agent.params, jax.tree.map(jnp.asarray, batch), jax.random.key(0))[1]["critic_loss"]


def descending(cell: OptimizerCell, settings: Any) -> Any:
    """The settings with a cell's optimizer."""
    return with_optimizer(settings, cell.optimizer, bool(cell.averaged), cell.learning_rate)


def measured_flow_loss(windows: Windows) -> Any:
    """The loss of a policy on fixed windows with fixed noise."""
    batch = windows.sample(np.random.default_rng(0), WINDOWS)

    def measure(policy: Any) -> float:
        actions = policy.to_network(batch.chunks)
        flow = policy.flow
        return float(_flow_loss(flow.weights, flow, batch.observations, actions, batch.mask, jax.random.key(0), 0))

    return measure


_flow_loss = jax.jit(loss, static_argnums=6)


def make_study(data: Path = DATA, trained: Path = TRAININGS) -> Study:
    """Two levels and a cube: results/optimizers."""
    tasks = [*((level, "flow") for level in LEVELS), (CUBE, "critic")]
    cells = [cell for task, kind in tasks for cell in sweep(task, kind, ARMS, (128,))]
    return study_of("optimizers", cells, data, trained)


def widths(data: Path = DATA, trained: Path = TRAININGS) -> Study:
    """The rates at three widths, on one level: results/optimizers-widths."""
    arms = [arm for arm in ARMS if arm[1]]
    return study_of("optimizers-widths", sweep(LEVELS[0], "flow", arms, WIDTHS), data, trained)


def trial(data: Path = DATA, trained: Path = TRAININGS) -> Study:
    """Every optimizer at its lowest rate, hardly trained, to see that all works: results/optimizers-trial."""
    cells = [cell for task, kind in ((LEVELS[0], "flow"), (CUBE, "critic")) for cell in lowest_rates(task, kind)]
    return study_of("optimizers-trial", cells, data, trained, episodes=2)


def lowest_rates(task: str, kind: str) -> list[OptimizerCell]:
    """A short and small training by every optimizer."""
    cells = sweep(task, kind, ARMS, (32,), SEEDS[:1], updates=100)
    return [cell for cell in cells if cell.learning_rate == min(RATES[kind][cell.optimizer])]


def sweep(
    task: str,
    kind: str,
    arms: Iterable[tuple[str, int]],
    sizes: Iterable[int],
    seeds: Iterable[int] = SEEDS,
    updates: int = UPDATES,
) -> list[OptimizerCell]:
    """Every learning rate of some optimizers at some widths."""
    about = (DELAY, *HORIZONS[kind], kind)
    return [
        OptimizerCell(task, label(name, averaged), *about, name, averaged, rate, width, updates, seed)
        for (name, averaged), width, seed in product(arms, sizes, seeds)
        for rate in RATES[kind][name]
    ]


def label(name: str, averaged: int) -> str:
    """What tables call an optimizer."""
    return f"{name}, averaged" if averaged else name


def study_of(name: str, cells: Sequence[OptimizerCell], data: Path, trained: Path, episodes: int = EPISODES) -> Study:
    """The study of some cells."""
    player = partial(play, data=data.absolute(), trained=trained.absolute())
    return Study(name, tuple(cells), play=player, episodes=episodes, batch=episodes, seed=FINAL_SEED, results=RESULTS)


def play(cell: OptimizerCell, episodes: tuple[int, ...], seed: int, data: Path, trained: Path) -> list[Row]:
    """Train if it is missing, and play these episodes."""
    make = MeasuredFlow if cell.kind == "flow" else MeasuredAgent
    folder = trained / training_folder(cell)
    training = train_once(lambda: make(cell, data), folder)
    lines = [line for line in read_metrics(folder / "metrics.jsonl") if "measured" in line]
    curve = json.dumps([[line["steps"], line["measured"], line["cpu_seconds"]] for line in lines])
    policy = training.policy() if isinstance(training, MeasuredFlow) else ChunkPolicy(training.agent)
    rows = evaluate_batch(partial(make_envs, cell, data), policy, episodes, seed, min(SLOTS, len(episodes)))
    return [{**row, "curve": curve} for row in rows]


def training_folder(cell: OptimizerCell) -> Path:
    """The folder of a training: its name has all settings that decide the result."""
    rate = f"{cell.optimizer} averaged={cell.averaged} rate={cell.learning_rate:g}"
    return Path(cell.task, f"{rate} width={cell.width} updates={cell.updates}", f"seed{cell.training_seed}")


def make_envs(cell: OptimizerCell, data: Path, slots: int) -> gym.vector.VectorEnv:
    """The environment of the data."""
    env = environment_of(load(data / cell.task).info)
    return gym.make_vec(
        env.id,
        slots,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.DISABLED,
        prediction_horizon=cell.prediction_horizon,
        execution_horizon=cell.execution_horizon,
        latency=cell.delay,
        **env.arguments,
    )


Curves = dict[float, dict[int, np.ndarray]]
"""By learning rate and seed: updates, loss and seconds of each measurement, [K, 3]."""


def curves_of(rows: Iterable[Row]) -> dict[tuple[str, int, str], Curves]:
    """The curves of each task, width and method."""
    found: dict[tuple[str, int, str], Curves] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        key = (row["task"], row["width"], row["method"])
        found[key][row["learning_rate"]][row["training_seed"]] = np.array(json.loads(row["curve"]))
    return found


def best_rate(curves: Curves, without: int | None = None) -> float:
    """The learning rate of the lowest final loss over the seeds other than this one."""

    def final(rate: float) -> float:
        seeds = curves[rate]
        losses = [curve[-1, 1] for seed, curve in seeds.items() if seed != without or len(seeds) == 1]
        mean = float(np.mean(losses))
        return mean if np.isfinite(mean) else np.inf

    return min(curves, key=final)


def shares(curves: Curves, adam: Curves) -> list[tuple[float, float]]:
    """For each seed the updates and the seconds until Adam's final loss, as shares of Adam's; infinite if never.

    Each seed has the rates that are best for the others, so that no rate is chosen by what it is judged by.
    """
    found = []
    for seed in sorted(adam[best_rate(adam)]):
        goal, own = adam[best_rate(adam, seed)][seed], curves[best_rate(curves, seed)][seed]
        reached = np.flatnonzero(own[:, 1] <= goal[-1, 1])
        found.append(tuple(own[reached[0], [0, 2]] / goal[-1, [0, 2]]) if len(reached) else (np.inf, np.inf))
    return found


def describe(values: Sequence[float]) -> str:
    """The mean over seeds with its interval, or how many of them got there."""
    reached = [value for value in values if np.isfinite(value)]
    if len(reached) < len(values):
        return f"{len(reached)} of {len(values)} seeds" + (f", {np.mean(reached):.2f}" if reached else "")
    mean, low, high = pooled([reached])
    return f"{mean:.2f}" + ("" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]")


def show(rows: Sequence[Row]) -> None:
    """The table of shares."""
    found = curves_of(rows)
    print("| task | width | optimizer | best rate | final loss | updates / Adam's | seconds / Adam's |")
    print("|---|---|---|---|---|---|---|")
    for (task, width, method), curves in found.items():
        adam = found.get((task, width, "adam"), found.get((task, width, "adam, averaged"), curves))
        rate, (updates, seconds) = best_rate(curves), zip(*shares(curves, adam), strict=True)
        final = np.mean([curve[-1, 1] for curve in curves[rate].values()])
        print(f"| {task} | {width} | {method} | {rate:g} | {final:.4f} | {describe(updates)} | {describe(seconds)} |")


def plot(rows: Sequence[Row], path: Path, by_width: bool) -> None:
    """Plot the measured loss at the best rate during training, or the final loss by rate, a panel for each task."""
    found = curves_of(rows)
    keys = sorted({(task, width) for task, width, _ in found})
    figure, panels = plt.subplots(1, len(keys), figsize=(3.6 * len(keys), 3.2), layout="constrained", squeeze=False)
    for (task, width), axes in zip(keys, panels[0], strict=True):
        methods = [each[2] for each in found if each[:2] == (task, width)]
        for colour, method in enumerate(methods):
            curves = found[task, width, method]
            line = final_losses(curves) if by_width else mean_curve(curves)
            axes.plot(*line, color=f"C{colour}", label=method, marker="o" if by_width else None, markersize=3)
        axes.set(title=f"{task}, width {width}", yscale="log", xlabel="learning rate" if by_width else "updates")
        if by_width:
            axes.set_xscale("log")
    panels[0][0].set_ylabel("loss")
    panels[0][0].legend()
    figure.savefig(path, dpi=120)


def mean_curve(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Updates and mean loss at the best rate."""
    mean = np.mean(list(curves[best_rate(curves)].values()), axis=0)
    return mean[:, 0], mean[:, 1]


def final_losses(curves: Curves) -> tuple[list[float], list[float]]:
    """Rates, and the mean loss at the end of training."""
    rates = sorted(curves)
    return rates, [float(np.mean([curve[-1, 1] for curve in curves[rate].values()])) for rate in rates]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the study, such as results/optimizers")
    parser.add_argument("--plot", type=Path, help="a file for the picture")
    parser.add_argument("--widths", action="store_true", help="plot the final loss by learning rate")
    options = parser.parse_args()
    rows = read_rows(options.folder)
    show(rows)
    if options.plot:
        plot(rows, options.plot, options.widths)


if __name__ == "__main__":
    main()
