"""Stable-Baselines3 on chunked, delayed tasks: PPO on a Kinetix level, and SAC on Pendulum.

    python benchmarks/sb3_training.py --out results/sb3.jsonl          # train what is missing, and print the table
    python benchmarks/sb3_training.py --out results/sb3.jsonl --show   # print the table only

Every run is one training with one seed and an evaluation with `chunkenv.evaluate`, the same 50 episodes for all; on
Kinetix with noise on the actions (std 0.1), because nothing else there is random. 'random' is a policy that draws its
chunks uniformly. A run that is already in the file is not trained again. Intervals: 95 %, bootstrap over training
seeds. One thread; needs the extras `sb3` and `kinetix`, and for Pendulum `gymnasium[classic-control]`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import SAC

from chunkenv import ActionNoise, ChunkedExecution, evaluate
from chunkenv.bench.analysis import pooled
from chunkenv.registration import ACTION_NOISE
from chunkenv.sb3 import ChunkReplayBuffer, ModelPolicy, chunk_ppo, make_sb3_env

SEEN = {"observation": "compact", "reward": "penalty"}
EPISODES, EVALUATION_SEED = 50, 10_000


class Task(NamedTuple):
    """A task with chunks of `execution_horizon + delay` rows, and the number of decisions to learn from."""

    id: str
    algorithm: str
    execution_horizon: int
    delay: int
    decisions: int

    @property
    def chunks(self) -> dict[str, int]:
        """The arguments of chunked execution; the first `delay` rows of a chunk come too late by definition."""
        return {
            "prediction_horizon": self.execution_horizon + self.delay,
            "execution_horizon": self.execution_horizon,
            "latency": self.delay,
        }


TASKS = (
    Task("chunkenv/kinetix-chain_lander-v0", "PPO", 4, 0, 245_760),
    Task("chunkenv/kinetix-chain_lander-v0", "PPO", 4, 3, 245_760),
    Task("Pendulum-v1", "SAC", 2, 2, 5_000),
)


class Uniform:
    """Uniformly random chunks."""

    def __init__(self, chunks: gym.spaces.Box) -> None:
        self._chunks = chunks

    def infer(self, observation: Any, request: Any) -> np.ndarray:
        """A chunk, independent of the observation."""
        return request.rng.uniform(self._chunks.low, self._chunks.high).astype(np.float32)


def world(task: Task) -> gym.Env:
    """The task for evaluation."""
    kinetix = task.id.startswith("chunkenv/")
    env = ActionNoise(gym.make(task.id, **SEEN), ACTION_NOISE) if kinetix else gym.make(task.id)
    return ChunkedExecution(env, observe_prefix="flat" if task.delay else False, **task.chunks)


def train_ppo(task: Task, seed: int) -> Any:
    """PPO on 64 native environments."""
    env = make_sb3_env(task.id, 64, seed=seed, discount=0.99, env_kwargs=SEEN | {"threads": 1}, **task.chunks)
    model = chunk_ppo(
        env,
        n_steps=32,
        batch_size=512,
        n_epochs=5,
        learning_rate=1e-3,
        policy_kwargs={"net_arch": [64, 64], "log_std_init": -0.5},
        seed=seed,
        device="cpu",
    )
    return model.learn(task.decisions)


def train_sac(task: Task, seed: int) -> Any:
    """SAC with its defaults, except for a larger learning rate."""
    env = make_sb3_env(task.id, seed=seed, discount=0.98, **task.chunks)
    model = SAC("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer, learning_rate=1e-3, seed=seed, device="cpu")
    return model.learn(task.decisions)


TRAIN: dict[str, Callable[[Task, int], Any]] = {"PPO": train_ppo, "SAC": train_sac}


def run(task: Task, seed: int | None) -> dict[str, Any]:
    """One training and its evaluation; the random policy if there is no seed."""
    begun = time.perf_counter()
    policy = Uniform(world(task).action_space) if seed is None else ModelPolicy(TRAIN[task.algorithm](task, seed))
    seconds = time.perf_counter() - begun
    rows = evaluate(lambda: world(task), policy, EPISODES, EVALUATION_SEED)
    solved = statistics.fmean(row["success"] or 0 for row in rows)
    returned = statistics.fmean(row["return"] for row in rows)
    return {**task._asdict(), "seed": seed, "solved": solved, "return": returned, "seconds": round(seconds)}


def runs(path: Path) -> list[dict[str, Any]]:
    """The runs in the file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def train_missing(path: Path, seeds: int) -> None:
    """Train what is missing, line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for seed in (None, *range(seeds)):
        for task in TASKS:
            key = {**task._asdict(), "seed": seed}
            if not any(key.items() <= row.items() for row in runs(path)):
                with path.open("a") as file:
                    file.write(json.dumps(run(task, seed)) + "\n")


def show(path: Path) -> None:
    """The table: one line per task and measure."""
    for task in TASKS:
        rows = [row for row in runs(path) if task._asdict().items() <= row.items()]
        trained = [row for row in rows if row["seed"] is not None]
        measure = "solved" if task.id.startswith("chunkenv/") else "return"
        if len(trained) < 2 or len(trained) == len(rows):
            continue
        random = next(row[measure] for row in rows if row["seed"] is None)
        mean, low, high = pooled([[row[measure] for row in trained]])
        each = [round(row[measure], 2) for row in trained]
        seconds = statistics.median(row["seconds"] for row in trained)
        print(
            f"{task.algorithm} {task.id} s={task.execution_horizon} d={task.delay}: "
            f"{measure} {mean:.2f} [{low:.2f}, {high:.2f}] over {len(trained)} seeds {each}, random {random:.2f}; "
            f"{task.decisions:,} decisions, {seconds} s"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, one per run")
    parser.add_argument("--seeds", type=int, default=5, help="trainings per task")
    parser.add_argument("--show", action="store_true", help="print the table only")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.show:
        train_missing(options.out, options.seeds)
    show(options.out)
