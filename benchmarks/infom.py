"""InFOM on play towards four hidden intentions: what it predicts, whether it sees them, what it learns from few labels.

    chunkenv bench run benchmarks/infom.py                  # the data first: infom_data.py
    python benchmarks/infom.py results/infom --plot docs/images/infom.png

Arms, each with 500, 5,000 and 50,000 labelled ticks (whole episodes, a solved one first) and three training seeds:

- infom: pre-trained on play without rewards, with intentions; and the same without intentions;
- from scratch: as many updates in all, on the labelled ticks alone;
- chunked IQL: the `dqc` agent whose critics value the chunks that it plays, with an expectile of .9: as many updates.

Each plays the best of 32 chunks of its own imitating flow by its own critics, and InFOM its own policy, too. Besides
that, the pre-trained models are measured on held-out episodes:

- energy: the energy score of predicted futures (normalised states; less is better; a proper score, so the true
  distribution has the least), with the intention that the encoder sees, or without;
- probe: how often a linear function of the encoder's mean names the hidden intention in episodes that it was not fitted
  to; chance is 25 %. `raw` is the same of the encoder's input.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from infom_measures import measure
from qc_study import Seeds, describe_differences, describe_rates, differences, group, read_rows, solve_rates

from chunkenv.agents import BehaviourPolicy, ChunkPolicy, InFOM, InFOMSettings, chunk_values, settings_for
from chunkenv.bench import Cell, Study
from chunkenv.data import Dataset, choose_episodes, first_episodes, load
from chunkenv.evaluate import Policy, Row, episode_seed, play_episode
from chunkenv.registration import environment_of
from chunkenv.strategies import BestOf
from chunkenv.training import InFOMTraining, OfflineOnlineTraining, TrainingConfig, train_once
from chunkenv.training.offline_online import replay_dataset

# Before jax starts: one thread for each worker.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

DATA, AGENTS = Path("data"), Path("results") / "infom_agents"
CHUNK, DISCOUNT, SAMPLES = 5, 0.97, 32
SEEDS, LABELLED = (0, 1, 2), (500, 5000, 50_000)
PRETRAINING, FINETUNING = 10_000, 5000
EPISODES = 50
FINAL_SEED = 1_000_001
"""The seed of the study: no training plays its episodes, and no data have them."""
SIZES = {"hidden": (256, 256, 256), "latent": 16, "futures": 4, "steps": 5}
RESULTS = {"training_seconds": float, "energy": float, "probe": float, "raw": float}
ARMS = {
    "infom": {"pretraining": PRETRAINING, "latent": SIZES["latent"]},
    "infom without intentions": {"pretraining": PRETRAINING, "latent": 0},
    "from scratch": {"pretraining": 0, "latent": SIZES["latent"]},
    "chunked IQL": {"pretraining": 0, "latent": 0},
}
IQL = "chunked IQL"


@dataclass(frozen=True)
class LabelCell(Cell):
    """One agent.

    Attributes:
        labelled: ticks with rewards, at least.
        training_seed: of the training.
        pretraining: updates without rewards.
        updates: in all.
        latent: numbers of an intention.
        way: "agent", or "best-of": the best of 32 chunks of the agent's flow by its critics.
    """

    labelled: int
    training_seed: int
    pretraining: int
    updates: int
    latent: int
    way: str

    @property
    def arm(self) -> str:
        """One of `ARMS`."""
        return self.method.removesuffix(", policy")


def make_study(labelled: Sequence[int] = LABELLED, data: Path = DATA, agents: Path = AGENTS) -> Study:
    """All arms: results/infom."""
    cells = [
        LabelCell("cube-single", arm, 0, CHUNK, CHUNK, ticks, seed, **settings, updates=total(), way="best-of")
        for arm, settings, ticks, seed in ((arm, ARMS[arm], *rest) for arm, *rest in product(ARMS, labelled, SEEDS))
    ]
    own = [replace(cell, method=f"{cell.method}, policy", way="agent") for cell in cells if cell.method != IQL]
    player = partial(play, data=data.absolute(), agents=agents.absolute())
    shared = {"episodes": EPISODES, "batch": EPISODES, "seed": FINAL_SEED, "results": RESULTS, "cost": cost}
    return Study("infom", (*cells, *own), play=player, **shared)


def trial() -> Study:
    """Every arm with few labels, hardly trained, to see that all works: results/infom-trial."""
    full = make_study(LABELLED[:1])
    cells = (cell for cell in full.cells if isinstance(cell, LabelCell) and cell.training_seed == SEEDS[0])
    small = (replace(cell, pretraining=min(cell.pretraining, 20), updates=40) for cell in cells)
    return replace(full, name="infom-trial", cells=tuple(small), episodes=2, batch=2)


def total() -> int:
    """Updates of a training."""
    return PRETRAINING + FINETUNING


def cost(cell: LabelCell) -> float:
    """The relative time of a cell, whose training another one may have made."""
    return cell.updates if cell.way == "best-of" else cell.updates / 10


def play(cell: LabelCell, episodes: tuple[int, ...], seed: int, data: Path, agents: Path) -> list[Row]:
    """Train the agent if it is missing, play these episodes, and measure what it predicts."""
    folder = agents / cell.arm / f"{cell.labelled} of {cell.updates}" / f"seed{cell.training_seed}"
    training = train_once(partial(make_training, cell, data), folder)
    agent, env = training.agent, training.make_env(training.agent.settings)
    measured = {"training_seconds": training.seconds, "energy": np.nan, "probe": np.nan, "raw": np.nan}
    if isinstance(agent, InFOM):
        held_out = load(data / "infom-held-out")
        measured |= measure(agent, held_out, replay_dataset(held_out, env))
    policy = ChunkPolicy(agent) if cell.way == "agent" else best_of(training)
    return [{**play_episode(env, policy, episode_seed(seed, each)), **measured} for each in episodes]


def best_of(training: OfflineOnlineTraining) -> Policy:
    """The best of the flow's chunks by the critics of an agent."""
    return BestOf(BehaviourPolicy(training.agent), chunk_values(training.agent), SAMPLES)


def make_training(cell: LabelCell, data: Path) -> OfflineOnlineTraining:
    """The training of a cell, before its first step."""
    unlabelled, labelled = load(data / "infom-play"), label(load(data / "infom-labelled"), cell.labelled)
    env = environment_of(labelled.info)
    assert env is not None
    steps = {"offline_steps": cell.updates, "online_steps": 0, "evaluate_every": cell.updates, "episodes": 1}
    config = TrainingConfig(env.id, env.arguments, **steps)
    if cell.arm == IQL:
        given = {"backup": CHUNK, "implicit": "expectile", "optimism": 0.9, "samples": SAMPLES}
        settings = settings_for("dqc", CHUNK, discount=DISCOUNT, hidden=SIZES["hidden"], steps=SIZES["steps"], **given)
        return OfflineOnlineTraining(config, "dqc", settings, labelled, cell.training_seed)
    settings = settings_for("infom", CHUNK, discount=DISCOUNT, **{**SIZES, "latent": cell.latent})
    assert isinstance(settings, InFOMSettings)
    first = unlabelled if cell.pretraining else None
    return InFOMTraining(config, cell.pretraining, settings, first, labelled, cell.training_seed)


def label(dataset: Dataset, ticks: int) -> Dataset:
    """The first episodes with at least so many ticks, the first solved one before all: there is something to learn."""
    first = int(np.argmax(dataset.episodes.success))
    others = np.delete(np.arange(len(dataset.episodes.length)), first)
    return first_episodes(choose_episodes(dataset, [first, *others.tolist()]), ticks)


def main() -> None:
    """Print the tables of the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the study: results/infom")
    parser.add_argument("--plot", type=Path, help="a file for the curves")
    options = parser.parse_args()
    rows = read_rows(options.folder)
    found = group(rows, "method", "labelled")
    show_success(found)
    show_measures(rows)
    if options.plot:
        plot(found, options.plot)


def show_success(found: dict[tuple, Seeds]) -> None:
    """The table of solve rates, and what InFOM gains, seed by seed."""
    methods, labelled = (sorted({key[index] for key in found}) for index in (0, 1))
    head = " | ".join(f"{ticks:,}" for ticks in labelled)
    print(f"solved, %\n\n| labelled ticks | {head} |\n|---|{'---|' * len(labelled)}")
    for method in methods:
        cells = [describe_rates(found.get((method, ticks), {})) for ticks in labelled]
        print(f"| {method} | {' | '.join(cells)} |")
    print(f"\npoints\n\n| infom - | {head} |\n|---|{'---|' * len(labelled)}")
    for method in methods:
        each = [differences(found.get(("infom", ticks), {}), found.get((method, ticks), {})) for ticks in labelled]
        if method != "infom":
            print(f"| {method} | {' | '.join(describe_differences([gains]) for gains in each)} |")


def show_measures(rows: list[Row]) -> None:
    """The table of what the models predict and what the probes name: the mean and the extremes over trainings."""
    print("\n| arm | energy score | probe, % | raw, % |\n|---|---|---|---|")
    for arm in ("infom", "infom without intentions", "from scratch"):
        trainings = {(row["labelled"], row["training_seed"]): row for row in rows if row["method"] == arm}
        columns = [np.array([row[name] for row in trainings.values()], float) for name in ("energy", "probe", "raw")]
        if trainings:
            cells = [spread(columns[0], 1, 3), *(spread(column, 100, 0) for column in columns[1:])]
            print(f"| {arm} | {' | '.join(cells)} |")


def spread(values: np.ndarray, unit: int, digits: int) -> str:
    """The mean and the extremes.

    >>> spread(np.array([0.25, 0.75]), 100, 0)
    '50 [25, 75]'
    """
    shown = [f"{unit * each:.{digits}f}" for each in (values.mean(), values.min(), values.max())]
    return "" if np.isnan(values).all() else f"{shown[0]} [{shown[1]}, {shown[2]}]"


def plot(found: dict[tuple, Seeds], path: Path) -> None:
    """Plot the solve rates against the labelled ticks: the mean over seeds, and each seed."""
    figure, axes = plt.subplots(figsize=(5, 3.4), layout="constrained")
    for colour, method in enumerate(sorted({method for method, _ in found})):
        ticks = sorted(labelled for each, labelled in found if each == method)
        rates = [[100 * share for share in solve_rates(found[method, each]).values()] for each in ticks]
        for each, seeds in zip(ticks, rates, strict=True):
            axes.plot([each] * len(seeds), seeds, ".", color=f"C{colour}", alpha=0.4)
        axes.plot(ticks, [np.mean(seeds) for seeds in rates], color=f"C{colour}", label=method)
    axes.set(xscale="log", xlabel="labelled ticks", ylabel="solved, %", ylim=(-2, 102))
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
