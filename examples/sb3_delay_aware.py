"""The value of observing the prefix: PPO on CartPole with a delay of four control steps, with and without it.

    python examples/sb3_delay_aware.py         # under five minutes on two cores
    python examples/sb3_delay_aware.py --help

During an inference the rows left of the last chunk run: the prefix. Without it in the observation, the result of a
chunk depends on something that the policy does not observe. Needs `pip install "chunkenv[sb3]"
"gymnasium[classic-control]"`. The training is the function `train` below.
"""

import argparse

import torch
from stable_baselines3.common.evaluation import evaluate_policy

from chunkenv.bench.analysis import pooled
from chunkenv.sb3 import chunk_ppo, make_sb3_env


def make_env(aware, delay, seed):
    """Eight environments; this example compares `observe_prefix` (by default make_sb3_env uses "flat")."""
    late = {"prediction_horizon": 2 * delay, "execution_horizon": delay, "latency": delay}
    return make_sb3_env("CartPole-v1", 8, **late, observe_prefix="flat" if aware else False, seed=seed)


def train(aware, delay, decisions, seed):
    """PPO that discounts every decision by the control steps that it lasts."""
    env = make_env(aware, delay, seed)
    batches = {"n_steps": 128, "batch_size": 256, "n_epochs": 10}
    return chunk_ppo(env, **batches, learning_rate=1e-3, seed=seed, device="cpu").learn(decisions)


def balanced(model, aware, delay):
    """Control steps that the pole stays up, of 500: the mean of 24 episodes."""
    return evaluate_policy(model, make_env(aware, delay, seed=1000), n_eval_episodes=24)[0]


def line(name, values):
    """Print the mean over seeds with its 95 % bootstrap interval, and each value."""
    mean, low, high = pooled([values], bounds=(0, 500))
    print(f"{name:<15} {mean:>5.0f}  [{low:.0f}, {high:.0f}]   each {[round(value) for value in values]}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=int, default=4, help="control steps that an inference takes")
    parser.add_argument("--decisions", type=int, default=25_000, help="of each training")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each kind, at least 2")
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on two
    up = {
        aware: [
            balanced(train(aware, options.delay, options.decisions, seed), aware, options.delay)
            for seed in range(options.seeds)
        ]
        for aware in (True, False)
    }
    print(f"control steps up, of 500, at a delay of {options.delay}; {options.seeds} seeds, 95 % intervals")
    line("prefix seen", up[True])
    line("prefix hidden", up[False])
    line("difference", [seen - hidden for seen, hidden in zip(up[True], up[False], strict=True)])
