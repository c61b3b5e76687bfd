"""SAC of Stable-Baselines3 on Pendulum, in chunks of four rows with a delay of two control steps.

    python examples/sb3_sac.py                 # about two minutes on two cores
    python examples/sb3_sac.py --help

Needs `pip install "chunkenv[sb3]" "gymnasium[classic-control]"`. The training is the function `train` below; TD3, and
TQC of sb3-contrib, use the same buffer.
"""

import argparse

import torch
from stable_baselines3 import SAC
from stable_baselines3.common.evaluation import evaluate_policy

from chunkenv.sb3 import ChunkReplayBuffer, make_sb3_env


def make_env(seed):
    """Decisions of two control steps; the two rows still to run are part of the observation."""
    late = {"prediction_horizon": 4, "execution_horizon": 2, "latency": 2}
    return make_sb3_env("Pendulum-v1", **late, discount=0.98, seed=seed)


def train(decisions, seed):
    """SAC that discounts every decision by the control steps that it lasts."""
    env = make_env(seed)
    model = SAC("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer, learning_rate=1e-3, seed=seed, device="cpu")
    return model.learn(decisions)


def report(name, model):
    """Print the undiscounted return of 20 episodes; an episode is 200 control steps."""
    mean, deviation = evaluate_policy(model, make_env(seed=1000), n_eval_episodes=20)
    print(f"{name:<10} {mean:>8.0f} +- {deviation:.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on two
    report("untrained", SAC("MlpPolicy", make_env(options.seed), seed=options.seed, device="cpu"))
    report("SAC", train(options.decisions, options.seed))
