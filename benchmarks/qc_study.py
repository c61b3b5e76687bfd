"""Studies of the Q-chunking family: a cell says how an agent is trained, and how it is played.

Each agent is trained once, by the first study that needs it, in its own folder in `results/qc_agents`. To train it
again, delete its folder.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv import ChunkedExecution
from chunkenv.agents import RECIPES, BehaviourPolicy, ChunkPolicy, Learner, chunk_values, settings_for
from chunkenv.bench import Cell, Study, open_store
from chunkenv.bench.analysis import pooled
from chunkenv.data import load
from chunkenv.evaluate import Row, episode_seed, evaluate_batch, play_episode
from chunkenv.registration import environment_of
from chunkenv.strategies import RTC, BestOf
from chunkenv.training import OfflineOnlineTraining, TrainingConfig, read_metrics, train_once

# Before jax starts: one thread for each worker.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

DATA, AGENTS = Path("data"), Path("results") / "qc_agents"
CHUNK = 5
"""Actions per inference, for agents that choose several."""
SEEDS = (0, 1, 2)
"""The seeds of trainings."""
EPISODES = 50
FINAL_SEED = 1_000_001
"""The seed of the study: no training plays its episodes; those of a training have seeds from twice its seed on."""
SLOTS = 10
"""The number of episodes played side by side when the parts of an agent are evaluated."""
RESULTS = {"training_steps": int, "training_seconds": float, "curve": str}
"""Columns of rows: `curve` is JSON, the steps and the solve rate of each evaluation during training."""


@dataclass(frozen=True)
class AgentCell(Cell):
    """An agent by its training, and how it is played.

    Attributes:
        task: the folder of its data, in `data`.
        method: what tables call it.
        agent: its name.
        offline_steps: updates on the data.
        online_steps: ticks played, an update each.
        training_seed: of the training.
        evaluate_every: steps between two evaluations during training.
        evaluation_episodes: of each of these.
        trained_delay: inference delay in training, in ticks.
        prefix: 1 if the prefix is in the agent's observation.
        hidden: widths of the layers.
        samples: chunks that qc chooses from.
        target_sampler: of qc.
        target_steps: of qc.
        way: how it is played: "agent", "rtc" (candidates are inpainted around the previous chunk), or
            "best-of-N", of N draws of its flow the one of highest value; "best-of-1" is imitation.
    """

    agent: str
    offline_steps: int
    online_steps: int
    training_seed: int = 0
    evaluate_every: int = 2500
    evaluation_episodes: int = 20
    trained_delay: int = 0
    prefix: int = 1
    hidden: str = "256,256,256"
    samples: int = 8
    target_sampler: str = "flow"
    target_steps: int = 10
    way: str = "agent"


def make_cell(task: str, agent: str, *, method: str = "", trained_delay: int = 0, **given: int | str) -> AgentCell:
    """A cell in which an agent is played as it was trained."""
    decided = CHUNK if RECIPES[agent].chunked else 1
    if agent != "qc":
        given = {name: value for name, value in given.items() if not name.startswith("target_")}
    chunks = (trained_delay, decided, decided + trained_delay)
    return AgentCell(task, method or agent, *chunks, agent, trained_delay=trained_delay, **given)  # pyright: ignore[reportArgumentType]


def repeat(cells: Iterable[AgentCell], seeds: Sequence[int] = SEEDS) -> list[AgentCell]:
    """Each cell with every training seed."""
    return [replace(cell, training_seed=seed) for cell in cells for seed in seeds]


def make_agent_study(name: str, cells: Sequence[AgentCell], data: Path = DATA, agents: Path = AGENTS) -> Study:
    """The study of some cells."""
    player = partial(play, data=data.absolute(), agents=agents.absolute())
    shared = {"episodes": EPISODES, "batch": EPISODES, "seed": FINAL_SEED, "results": RESULTS, "cost": cost}
    return Study(name, tuple(cells), play=player, **shared)


def cost(cell: AgentCell) -> float:
    """The relative time of a cell, with its training."""
    return cell.offline_steps + cell.online_steps


def play(cell: AgentCell, episodes: tuple[int, ...], seed: int, data: Path, agents: Path) -> list[Row]:
    """Train the agent if it is missing, and play these episodes."""
    folder = agents / training_folder(cell)
    training = train_once(lambda: make_training(cell, data), folder)
    lines = [line for line in read_metrics(folder / "metrics.jsonl") if "solve_rate" in line]
    curve = json.dumps([[line["steps"], line["solve_rate"]] for line in lines])
    measured = {"training_steps": training.steps, "training_seconds": training.seconds, "curve": curve}
    play_rows = play_parts if cell.way.startswith("best-of-") else play_whole
    return [{**row, **measured} for row in play_rows(cell, training, episodes, seed)]


def training_folder(cell: AgentCell) -> Path:
    """The folder of a training: its name has all settings that decide the result."""
    names = [field.name for field in fields(AgentCell)[len(fields(Cell)) :]]
    parts = [f"{name}={getattr(cell, name)}" for name in names if name not in ("agent", "way", "training_seed")]
    return Path(cell.task, cell.agent, " ".join(parts), f"seed{cell.training_seed}")


def make_training(cell: AgentCell, data: Path) -> OfflineOnlineTraining:
    """The training of a cell, before its first step."""
    dataset = load(data / cell.task)
    env = environment_of(dataset.info)
    target = ("samples", "target_sampler", "target_steps") if cell.agent == "qc" else ()
    settings = settings_for(
        cell.agent,
        CHUNK,
        cell.trained_delay,
        bool(cell.prefix),
        hidden=tuple(int(width) for width in cell.hidden.split(",")),
        **{name: getattr(cell, name) for name in target},
    )
    config = TrainingConfig(
        env.id,
        env.arguments,
        offline_steps=cell.offline_steps,
        online_steps=cell.online_steps,
        evaluate_every=cell.evaluate_every,
        episodes=cell.evaluation_episodes,
    )
    return OfflineOnlineTraining(config, cell.agent, settings, dataset, cell.training_seed)


def play_whole(cell: AgentCell, training: OfflineOnlineTraining, episodes: Sequence[int], seed: int) -> list[Row]:
    """Play the agent, alone or under Real-Time Chunking, one episode after the other."""
    config, agent = training.config, training.agent
    policy = ChunkPolicy(agent) if cell.way == "agent" else inpaint(agent)
    horizons = (cell.prediction_horizon, cell.execution_horizon, cell.delay)
    env = ChunkedExecution(gym.make(config.id, **config.arguments), *horizons)
    try:
        return [play_episode(env, policy, episode_seed(seed, episode)) for episode in episodes]
    finally:
        env.close()


def play_parts(cell: AgentCell, training: OfflineOnlineTraining, episodes: Sequence[int], seed: int) -> list[Row]:
    """Play the agent's flow, alone or with the best of N draws by its critics."""
    count, policy = int(cell.way.removeprefix("best-of-")), BehaviourPolicy(training.agent)
    chosen = policy if count == 1 else BestOf(policy, chunk_values(training.agent), count)
    return evaluate_batch(partial(make_envs, cell, training.config), chosen, episodes, seed, SLOTS)


def make_envs(cell: AgentCell, config: TrainingConfig, slots: int) -> gym.vector.VectorEnv:
    """The environment of the data, with the horizons of the agent's training."""
    return gym.make_vec(
        config.id,
        slots,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.DISABLED,
        prediction_horizon=cell.prediction_horizon,
        execution_horizon=cell.execution_horizon,
        latency=cell.delay,
        **config.arguments,
    )


def inpaint(agent: Learner) -> BestOf:
    """The agent, with candidates that continue the previous chunk."""
    return BestOf(RTC(BehaviourPolicy(agent)), chunk_values(agent), agent.settings.samples)


Seeds = dict[int, list[Row]]
"""The rows of each training seed."""


def read_rows(folder: Path) -> list[Row]:
    """All rows of a study."""
    with open_store(folder / "episodes.sqlite") as store:
        return store.rows()


def group(rows: Iterable[Row], *columns: str) -> dict[tuple, Seeds]:
    """The rows of each setting, by training seed."""
    found: dict[tuple, Seeds] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[tuple(row[column] for column in columns)][row["training_seed"]].append(row)
    return found


def solve_rates(seeds: Seeds) -> dict[int, float]:
    """The share of episodes that each seed's agent solved."""
    return {seed: float(np.mean([bool(row["success"]) for row in rows])) for seed, rows in seeds.items()}


def describe_rates(seeds: Seeds) -> str:
    """The mean over seeds, with its interval where there are several, and each seed's, in percent."""
    shares = list(solve_rates(seeds).values())
    if not shares:
        return ""
    return f"{describe_mean(shares, '.0f', 100)} ({', '.join(f'{100 * share:.0f}' for share in shares)})"


def describe_mean(values: Iterable[float], form: str = ".3f", unit: float = 1) -> str:
    """The mean over seeds, with its interval where there are several; empty where nothing was measured."""
    known = [[value] for value in values if not np.isnan(value)]
    if not known:
        return ""
    mean, low, high = (unit * value for value in pooled(known))
    return format(mean, form) + ("" if np.isnan(low) else f" [{low:{form}}, {high:{form}}]")


def differences(first: Seeds, second: Seeds) -> list[float]:
    """The differences of the shares, for each seed that both have."""
    ones, others = solve_rates(first), solve_rates(second)
    return [ones[seed] - others[seed] for seed in ones if seed in others]


def describe_differences(tasks: Iterable[list[float]]) -> str:
    """The mean difference over tasks and seeds in points, with its interval where there are several seeds."""
    known = [task for task in tasks if task]
    if not known:
        return ""
    mean, low, high = (100 * value for value in pooled(known))
    return f"{mean:+.0f}" + ("" if np.isnan(low) else f" [{low:+.0f}, {high:+.0f}]")
