"""PPO of Stable-Baselines3 on a Kinetix task with chunks and inference delay.

    python examples/sb3_ppo.py                 # about a minute on two cores
    python examples/sb3_ppo.py --help

Needs `pip install "chunkenv[sb3,kinetix]"`. The training is the function `train` below.
"""

import argparse

import gymnasium as gym
import numpy as np
import torch

import chunkenv
from chunkenv.sb3 import ModelPolicy, chunk_ppo, make_sb3_env

SEEN = {"observation": "compact", "reward": "penalty"}


def train(task, chunks, decisions, seed):
    """PPO that discounts every decision by the control steps that it lasts."""
    env = make_sb3_env(task, n_envs=64, **chunks, discount=0.99, env_kwargs=SEEN, seed=seed)
    network = {"net_arch": [64, 64], "log_std_init": -0.5}
    batches = {"n_steps": 32, "batch_size": 512, "n_epochs": 5}
    model = chunk_ppo(env, **batches, learning_rate=1e-3, policy_kwargs=network, seed=seed, device="cpu")
    return model.learn(decisions)


class Random:
    """Uniformly random chunks, for comparison."""

    def __init__(self, rows):
        self.rows = rows

    def infer(self, observation, request):
        """A chunk for four motors and two thrusters, independent of the observation."""
        return request.rng.uniform(-1, 1, (self.rows, 6)).astype(np.float32)


def solved(policy, task, chunks):
    """The number of solved episodes of 30, with noise on the actions."""

    def make_env():
        noisy = chunkenv.ActionNoise(gym.make(task, **SEEN), 0.1)
        return chunkenv.ChunkedExecution(noisy, **chunks, observe_prefix="flat" if chunks["latency"] else False)

    return sum(row["success"] for row in chunkenv.evaluate(make_env, policy, episodes=30, seed=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="chunkenv/kinetix-chain_lander-v0", help="one of `chunkenv tasks`")
    parser.add_argument("--delay", type=int, default=3, help="control steps that an inference takes")
    parser.add_argument("--decisions", type=int, default=250_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on two
    chunks = {"prediction_horizon": 4 + options.delay, "execution_horizon": 4, "latency": options.delay}
    model = train(options.task, chunks, options.decisions, options.seed)
    print(f"{options.task}, delay {options.delay}: solved of 30 episodes")
    print(f"PPO     {solved(ModelPolicy(model), options.task, chunks):>2}")
    print(f"random  {solved(Random(4 + options.delay), options.task, chunks):>2}")
