"""The speed of Stable-Baselines3 on a Kinetix level, and where its time goes: `make_sb3_env` and single environments.

    python benchmarks/sb3_speed.py [--level catapult] [--decisions 8192] [--rounds 3]

One run, in turns: PPO and SAC over `make_sb3_env`, and the same algorithm, with the same buffer and the same chunks,
over Stable-Baselines3's own DummyVecEnv of single environments, each chunked and with a Monitor. CPU seconds of one
thread, which other processes affect little; the smallest of the rounds. Of a decision over `make_sb3_env`, in us:

    engine     inside the calls into the engine
    between    the rest of a step of the environments, and what of a rollout or replay buffer is not Stable-Baselines3's
    algorithm  everything else: networks, gradients, Stable-Baselines3's own bookkeeping

Needs the extras `sb3` and `kinetix`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium as gym
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from chunkenv.sb3 import ChunkPPO, ChunkReplayBuffer, algorithms, chunk_replay, make_sb3_env
from chunkenv.wrappers import ChunkedExecution, FlattenChunk

CHUNKS: dict[str, Any] = {"prediction_horizon": 8, "execution_horizon": 4, "latency": 2}
SEEN = {"observation": "compact", "reward": "penalty"}
NUM_ENVS = 64


class Costs(NamedTuple):
    """CPU seconds of one training: of all, of the steps of the environments, of the engine, and of the discounts."""

    all: float
    steps: float
    engine: float
    discounts: float

    @property
    def between(self) -> float:
        """What lies between engine and algorithm."""
        return self.steps - self.engine + self.discounts


class Timed:
    """A function, and the CPU seconds that its calls took."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.seconds = function, 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        start = time.process_time()
        try:
            return self.function(*args, **kwargs)
        finally:
            self.seconds += time.process_time() - start


def make_ours(level: str) -> VecEnv:
    """The environments of `make_sb3_env`."""
    return make_sb3_env(level, NUM_ENVS, **CHUNKS, env_kwargs={**SEEN, "threads": 1}, seed=0)


def make_theirs(level: str) -> VecEnv:
    """Stable-Baselines3's vector of single environments, as its users make them."""

    def make_env() -> gym.Env:
        env = ChunkedExecution(gym.make(level, **SEEN), **CHUNKS, observe_prefix="flat")
        return Monitor(FlattenChunk(env))

    env = DummyVecEnv([make_env] * NUM_ENVS)
    env.seed(0)
    return env


def ppo(env: VecEnv) -> BaseAlgorithm:
    """PPO with the sizes of examples/sb3_ppo.py."""
    batches = {"n_steps": 32, "batch_size": 512, "n_epochs": 5}
    return ChunkPPO("MlpPolicy", env, **batches, seed=0, device="cpu")


def sac(env: VecEnv) -> BaseAlgorithm:
    """SAC with one gradient step for each step of the environments, its default."""
    return SAC("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer, buffer_size=20_000, seed=0, device="cpu")


def learn(make_model: Callable[[VecEnv], BaseAlgorithm], env: VecEnv, decisions: int) -> Costs:
    """What a training costs."""
    model = make_model(env)
    env.step_wait = steps = Timed(env.step_wait)
    read = [Timed(module.discounts_of) for module in (algorithms, chunk_replay)]
    algorithms.discounts_of, chunk_replay.discounts_of = read
    engine = _time_engine(env)
    whole = Timed(model.learn)
    whole(decisions)
    algorithms.discounts_of = chunk_replay.discounts_of = read[0].function
    return Costs(whole.seconds, steps.seconds, engine.seconds, sum(timed.seconds for timed in read))


def _time_engine(env: VecEnv) -> Timed:
    """Time the one simulator that all environments share, if they do."""
    native = getattr(env.unwrapped, "vector_env", None)
    if native is None:
        return Timed(time.sleep)  # the engine of single environments is part of their step
    simulator = native.unwrapped.simulator
    simulator.play_unchecked = Timed(simulator.play_unchecked)
    return simulator.play_unchecked


def best(rounds: list[Costs]) -> Costs:
    """The cheapest of each part."""
    return Costs(*map(min, zip(*rounds, strict=True)))


def measure(name: str, make_model: Callable[[VecEnv], BaseAlgorithm], arguments: argparse.Namespace) -> str:
    """A line of the table."""
    level = f"chunkenv/kinetix-{arguments.level}-v0"
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        ours.append(learn(make_model, make_ours(level), arguments.decisions))
        theirs.append(learn(make_model, make_theirs(level), arguments.decisions))
    one, other = best(ours), best(theirs)
    us = 1e6 / arguments.decisions
    return (
        f"{name:<5}{arguments.decisions / one.all:>12,.0f} {arguments.decisions / other.all:>12,.0f}"
        f" {other.all / one.all:>8.1f}x {one.engine * us:>9.1f} {one.between * us:>9.1f}"
        f" {(one.all - one.engine - one.between) * us:>11.1f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", default="catapult")
    parser.add_argument("--decisions", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{arguments.level}, {NUM_ENVS} environments, {CHUNKS}; decisions per CPU second, and us per decision")
    print("     make_sb3_env  DummyVecEnv     over    engine   between   algorithm")
    print(measure("PPO", ppo, arguments), flush=True)
    print(measure("SAC", sac, arguments), flush=True)


if __name__ == "__main__":
    main()
