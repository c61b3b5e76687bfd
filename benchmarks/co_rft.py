"""CO-RFT from a few imperfect demonstrations: what offline reinforcement learning with chunks adds to imitation.

    imperfect="--style task --pauses .2 --detours .1 --failures .2 --reward sparse"
    for task in cube-single-task2 scene-task2 puzzle-3x3-task2; do
        chunkenv data collect manip-$task $imperfect --episodes 300 --seed 100 --out data/co-rft/$task
    done
    chunkenv bench run benchmarks/co_rft.py                 # 30 demonstrations: results/co-rft
    chunkenv bench run benchmarks/co_rft.py:sixty           # 60: results/co-rft-60
    chunkenv bench run benchmarks/co_rft.py:actors          # other actors than TD3+BC: results/co-rft-actors
    python benchmarks/co_rft.py results/co-rft --plot co_rft.png

Each seed has demonstrations of its own, all of which begin with the gripper on one side of the table; episodes that
begin on the other are held-out positions. Each agent is trained once, for a delay of two ticks, and played at delays of
0 and 2, in 100 episodes that no training has used. Arms with rewards have the updates of "imitation, longer".

The tables show what is solved, the ticks of solved episodes, both against imitation seed by seed, and the least and
the most value of the policy's chunks in the data beside the least and the most return there. Intervals are 95 %, from a
bootstrap over seeds (of three: the minimum and the maximum).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium as gym
import jax
import matplotlib.pyplot as plt
import numpy as np
from qc_study import Seeds, describe_differences, describe_rates, differences, group, read_rows

from chunkenv import ChunkedExecution
from chunkenv.agents import ChunkPolicy, chunk_values, settings_for
from chunkenv.bench import Cell, Study
from chunkenv.bench.analysis import pooled
from chunkenv.data import Dataset, Horizons, choose_episodes, load
from chunkenv.data.windows.every_length import EveryLength
from chunkenv.evaluate import Row, episode_seed, play_episode
from chunkenv.registration import environment_of
from chunkenv.training import OfflineOnlineTraining, TrainingConfig, train_once
from chunkenv.training.offline_online import replay_dataset

# Before jax starts: one thread for each worker.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

DATA, AGENTS = Path("data") / "co-rft", Path("results") / "co_rft_agents"
TASKS = ("cube-single-task2", "scene-task2", "puzzle-3x3-task2")
SEEDS = (0, 1, 2)
CHUNK, DELAY = 5, 2
EPISODES = 100
FINAL_SEED = 2_000_001
"""The seed of the study: no training plays its episodes."""
IMITATION, LONGER = 5000, 3
"""Updates that imitate only, and how many times as many an arm has that goes on."""
ARMS: dict[str, dict[str, Any]] = {
    "imitation": {"updates": 1},
    "imitation, longer": {"imitation": LONGER},
    "one-step critic": {"lengths": 1},
    "chunked": {},
    "chunked, uncalibrated": {"calibrated": False},
    "chunked, flow": {"actor": "flow"},
    "chunked, distilled": {"actor": "distilled"},
}
"""What each arm changes of `chunkenv train co-rft`; updates as multiples of those that imitate only."""
MAIN = tuple(ARMS)[:5]
GRIPPER_Y, HELD_OUT = 13, 1.5
"""Of an observation, the gripper's y in units of .1 m; beyond .15 m an episode begins in a held-out position."""
RESULTS = {"held_out": int, "values": str}
"""Columns of rows: `values` is JSON, the least and the most value, and the least and the most return."""


@dataclass(frozen=True)
class FineTunedCell(Cell):
    """An agent by its training, and how late it is played.

    Attributes:
        demonstrations: how many it learns from.
        training_seed: of the training, and of which demonstrations.
        imitation: updates that imitate only, where critics have a say later.
        hidden: widths of the layers.
        batch: windows in an update.
    """

    demonstrations: int
    training_seed: int
    imitation: int = IMITATION
    hidden: str = "256,256"
    batch: int = 128


def make_study() -> Study:
    """The five arms from 30 demonstrations."""
    return make_arm_study("co-rft", MAIN, 30)


def sixty() -> Study:
    """The five arms from 60 demonstrations."""
    return make_arm_study("co-rft-60", MAIN, 60)


def actors() -> Study:
    """Three actors, and imitation."""
    return make_arm_study("co-rft-actors", ("imitation, longer", "chunked", "chunked, flow", "chunked, distilled"), 30)


def trial() -> Study:
    """Two arms, hardly trained, to see that all works: results/co-rft-trial."""
    small: dict[str, Any] = {"imitation": 50, "hidden": "32", "batch": 32}
    return make_arm_study("co-rft-trial", ("imitation", "chunked"), 10, TASKS[:1], (0,), 2, **small)


def make_arm_study(
    name: str,
    arms: Sequence[str],
    demonstrations: int,
    tasks: Sequence[str] = TASKS,
    seeds: Sequence[int] = SEEDS,
    episodes: int = EPISODES,
    folders: tuple[Path, Path] = (DATA, AGENTS),
    **given: Any,
) -> Study:
    """The study of some arms at both delays."""
    cells = [
        FineTunedCell(task, arm, delay, CHUNK, CHUNK + DELAY, demonstrations, seed, **given)
        for task, arm, seed, delay in product(tasks, arms, seeds, (0, DELAY))
    ]
    player = partial(play, data=folders[0].absolute(), agents=folders[1].absolute())
    return Study(name, tuple(cells), play=player, episodes=episodes, batch=episodes, seed=FINAL_SEED, results=RESULTS)


def play(cell: FineTunedCell, episodes: tuple[int, ...], seed: int, data: Path, agents: Path) -> list[Row]:
    """Train the agent if it is missing, and play these episodes."""
    sizes = f"{cell.demonstrations} demonstrations, {cell.imitation} updates, {cell.hidden}, {cell.batch}"
    demonstrations = choose_demonstrations(load(data / cell.task), cell)
    folder = agents / cell.task / cell.method / sizes / f"seed{cell.training_seed}"
    training = train_once(lambda: make_training(cell, demonstrations), folder)
    values = json.dumps(measure_values(training, demonstrations))
    config = training.config
    env = ChunkedExecution(
        gym.make(config.id, **config.arguments), cell.prediction_horizon, cell.execution_horizon, cell.delay
    )
    rows = []
    for episode in episodes:
        start, _ = env.reset(seed=episode_seed(seed, episode))
        row = play_episode(env, ChunkPolicy(training.agent), episode_seed(seed, episode))
        rows.append({**row, "held_out": int(is_held_out(start)), "values": values})
    env.close()
    return rows


def choose_demonstrations(dataset: Dataset, cell: FineTunedCell) -> Dataset:
    """The demonstrations of a seed: none begins in a held-out position."""
    known = np.flatnonzero(~is_held_out(dataset.observations[dataset.episodes.start]))
    first = cell.training_seed * cell.demonstrations
    return choose_episodes(dataset, known[first : first + cell.demonstrations])


def is_held_out(observations: np.ndarray) -> np.ndarray:
    """Whether the gripper is on the other side."""
    return observations[..., GRIPPER_Y] > HELD_OUT


def make_training(cell: FineTunedCell, demonstrations: Dataset) -> OfflineOnlineTraining:
    """The training of a cell, before its first step."""
    arm = {"updates": LONGER, "imitation": 1, **ARMS[cell.method]}
    updates, imitation = (cell.imitation * arm.pop(name) for name in ("updates", "imitation"))
    widths = tuple(int(width) for width in cell.hidden.split(","))
    settings = settings_for("co-rft", CHUNK, DELAY, hidden=widths, batch=cell.batch, imitation=imitation, **arm)
    env = environment_of(demonstrations.info)
    assert env is not None
    config = TrainingConfig(
        env.id, env.arguments, offline_steps=updates, online_steps=0, evaluate_every=updates, episodes=1
    )
    return OfflineOnlineTraining(config, "co-rft", settings, demonstrations, cell.training_seed)


def measure_values(training: OfflineOnlineTraining, demonstrations: Dataset) -> list[float]:
    """The least and the most value of the policy's chunks in the data, and the least and the most return there.

    An agent that only imitated has no values: none then.
    """
    agent, settings = training.agent, asdict(training.agent.settings)
    if settings["imitation"] >= training.updates:
        return []
    observations = np.asarray(demonstrations.observations)
    prefix, lengths = np.zeros((len(observations), DELAY, agent.sizes.action)), np.zeros(len(observations), np.int32)
    chunks = np.asarray(agent.sample_chunk(observations, prefix, lengths, jax.random.key(0)))
    values = chunk_values(agent)(observations, chunks)
    horizons = Horizons(CHUNK, CHUNK, DELAY, discount=settings["horizons"]["discount"])
    env = gym.make(training.config.id, **training.config.arguments)
    bounds = EveryLength(replay_dataset(demonstrations, env), horizons).bounds
    env.close()
    return [float(values.min()), float(values.max()), *bounds]


def main() -> None:
    """Print the tables of a study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the study, such as results/co-rft")
    parser.add_argument("--plot", type=Path, help="a file for the bars")
    options = parser.parse_args()
    rows = read_rows(options.folder)
    found = group(rows, "task", "delay", "method")
    show_success(found, group((row for row in rows if row["held_out"]), "task", "delay", "method"))
    show_gains(found)
    show_values(rows)
    if options.plot:
        plot(found, options.plot)


def show_success(found: dict[tuple, Seeds], held_out: dict[tuple, Seeds]) -> None:
    """What each arm solves, and in how many ticks."""
    print("| task | d | arm | solved, % (each seed) | from held-out positions, % | ticks of solved episodes |")
    print("|---|---|---|---|---|---|")
    for (task, delay, arm), seeds in found.items():
        ticks = describe_mean(ticks_to_success(seeds).values())
        rates = describe_rates(seeds), describe_rates(held_out.get((task, delay, arm), {}))
        print(f"| {task} | {delay} | {arm} | {' | '.join(rates)} | {ticks} |")


def show_gains(found: dict[tuple, Seeds]) -> None:
    """Every arm against imitation, seed by seed, over all tasks."""
    print("\n| d | arm - imitation | points | ticks of solved episodes, % |\n|---|---|---|---|")
    tasks, delays, arms = (sorted({key[place] for key in found}) for place in range(3))
    controls = [arm for arm in arms if arm.startswith("imitation")]
    for delay, control, arm in product(delays, controls, arms):
        if arm == control:
            continue
        pairs = [(found.get((task, delay, arm), {}), found.get((task, delay, control), {})) for task in tasks]
        points = describe_differences([differences(*pair) for pair in pairs])
        shorter = describe_differences([relative_ticks(*pair) for pair in pairs])
        print(f"| {delay} | {arm} - {control} | {points} | {shorter} |")


def show_values(rows: Iterable[Row]) -> None:
    """Values beside returns, over seeds."""
    print("\n| task | arm | least value | least return | most value | most return |\n|---|---|---|---|---|---|")
    for (task, arm), seeds in group(rows, "task", "method").items():
        each = [json.loads(first[0]["values"]) for first in seeds.values()]
        if all(each):
            least, most, low, high = np.array(each).T
            numbers = (least.min(), low.min(), most.max(), high.max())
            print(f"| {task} | {arm} | {' | '.join(f'{number:.1f}' for number in numbers)} |")


def ticks_to_success(seeds: Seeds) -> dict[int, float]:
    """The mean ticks of each seed's solved episodes; seeds that solve none are left out."""
    ticks = {seed: [row["first_success"] for row in rows if row["success"]] for seed, rows in seeds.items()}
    return {seed: float(np.mean(found)) for seed, found in ticks.items() if found}


def relative_ticks(first: Seeds, second: Seeds) -> list[float]:
    """How many more ticks the first takes, as a share of the second's, for each seed in which both solve something."""
    ones, others = ticks_to_success(first), ticks_to_success(second)
    return [ones[seed] / others[seed] - 1 for seed in ones if seed in others]


def describe_mean(values: Iterable[float]) -> str:
    """The mean over seeds, with its interval where there are several."""
    each = [[value] for value in values]
    if not each:
        return ""
    mean, low, high = pooled(each)
    return f"{mean:.0f}" + ("" if np.isnan(low) else f" [{low:.0f}, {high:.0f}]")


def plot(found: dict[tuple, Seeds], path: Path) -> None:
    """Bars of what is solved, a panel for each task and delay."""
    panels, arms = sorted({key[:2] for key in found}), list(dict.fromkeys(key[2] for key in found))
    figure, axes = plt.subplots(1, len(panels), figsize=(2.4 * len(panels), 3.2), layout="constrained", sharey=True)
    for (task, delay), axis in zip(panels, np.atleast_1d(axes), strict=True):
        for place, arm in enumerate(arms):
            rates = [100 * np.mean([bool(row["success"]) for row in rows]) for rows in found[task, delay, arm].values()]
            axis.bar(place, np.mean(rates), color=f"C{place}", label=arm)
            axis.plot([place] * len(rates), rates, "k.", markersize=3)
        axis.set(title=f"{task}, d = {delay}", xticks=[], ylim=(0, 102))
    np.atleast_1d(axes)[0].set_ylabel("solved, %")
    figure.legend(*np.atleast_1d(axes)[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(arms))
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
