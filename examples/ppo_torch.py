"""PPO in PyTorch over chunks and inference delay, in one file: 64 environments, any autoreset mode.

    python examples/ppo_torch.py               # about a minute on two cores
    python examples/ppo_torch.py --help

Needs `pip install "chunkenv[kinetix]" torch`. Three lines differ from PPO over single actions: `read_decisions` says
which environments decided, what each decision is discounted by, and where its value is bootstrapped from.
"""

import argparse

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Normal

import chunkenv
from chunkenv.vector import read_decisions

DISCOUNT, LAMBDA, CLIP = 0.99, 0.95, 0.2
"""The discount is one of ticks; lambda counts decisions."""
ENVS, STEPS, EPOCHS, BATCH = 64, 32, 5, 512


class Agent(nn.Module):
    """A Gaussian over whole chunks, and a value."""

    def __init__(self, observation_size, chunk_shape):
        super().__init__()
        self.chunk_shape = chunk_shape
        self.mean = network(observation_size, int(np.prod(chunk_shape)))
        self.value = network(observation_size, 1)
        self.log_std = nn.Parameter(torch.full((int(np.prod(chunk_shape)),), -0.5))

    def distribution(self, observations):
        """Of flat chunks."""
        return Normal(self.mean(observations), self.log_std.exp())

    def infer_batch(self, observations, request):
        """The mean chunks: what `chunkenv.evaluate_batch` plays."""
        with torch.no_grad():
            return self.mean(torch.as_tensor(observations)).reshape(-1, *self.chunk_shape).numpy()


def network(inputs, outputs):
    """Two hidden layers; the last one starts small."""
    layers = [nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)]
    with torch.no_grad():
        layers[-1].weight *= 0.1
    return nn.Sequential(*layers)


def make_envs(task, delay, num_envs=ENVS, **options):
    """Chunks of 4 + delay rows, of which 4 are executed; the policy observes the rows that run while it infers."""
    chunks = {"prediction_horizon": 4 + delay, "execution_horizon": 4, "latency": delay, "observe_prefix": "flat"}
    return gym.make_vec(task, num_envs, observation="compact", reward="penalty", discount=DISCOUNT, **chunks, **options)


@torch.no_grad()
def rollout(envs, agent, observations):
    """Steps of all environments, as tensors [STEPS, N, ...], and the observations to go on from."""
    steps = []
    for _ in range(STEPS):
        flat = agent.distribution(torch.as_tensor(observations)).sample()
        step = envs.step(flat.reshape(-1, *agent.chunk_shape).numpy())
        made = read_decisions(envs, *step)
        ended = made.terminated | made.truncated
        steps.append((observations, flat, made.rewards, made.discounts, made.decided, ended, made.last_observations))
        observations = step[0]
    return [torch.as_tensor(np.array(column)) for column in zip(*steps, strict=True)], observations


@torch.no_grad()
def advantages(agent, observations, rewards, discounts, ended, last_observations):
    """Generalized advantages of decisions that each last their own number of ticks, and the values' targets."""
    values = agent.value(observations)[..., 0]
    errors = rewards.float() + discounts.float() * agent.value(last_observations)[..., 0] - values
    carried, found = torch.zeros(len(values[0])), torch.zeros_like(values)
    for step in reversed(range(len(values))):
        carried = errors[step] + discounts[step].float() * LAMBDA * ~ended[step] * carried
        found[step] = carried
    return found, found + values


def update(agent, optimizer, observations, flat, rewards, discounts, decided, ended, last_observations):
    """Some epochs of PPO over the decisions; a step that only reset its environment is none."""
    gains, targets = advantages(agent, observations, rewards, discounts, ended, last_observations)
    observations, flat, gains, targets = (each[decided] for each in (observations, flat, gains, targets))
    with torch.no_grad():
        before = agent.distribution(observations).log_prob(flat).sum(-1)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(gains)).split(BATCH):
            distribution, gain = agent.distribution(observations[rows]), gains[rows]
            ratio = (distribution.log_prob(flat[rows]).sum(-1) - before[rows]).exp()
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            policy_loss = -torch.min(ratio * gain, ratio.clamp(1 - CLIP, 1 + CLIP) * gain).mean()
            value_loss = (agent.value(observations[rows])[:, 0] - targets[rows]).square().mean()
            optimizer.zero_grad()
            (policy_loss + 0.5 * value_loss).backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()


def train(task, delay, decisions, autoreset, seed):
    """An agent after at most so many decisions of all environments together."""
    torch.manual_seed(seed)
    envs = make_envs(task, delay, autoreset_mode=autoreset)
    agent = Agent(envs.single_observation_space.shape[0], envs.single_action_space.shape)
    optimizer = torch.optim.Adam(agent.parameters(), 1e-3, eps=1e-5)
    observations, _ = envs.reset(seed=seed)
    for _ in range(decisions // (STEPS * ENVS)):
        batch, observations = rollout(envs, agent, observations)
        update(agent, optimizer, *batch)
    envs.close()
    return agent


def solved(agent, task, delay):
    """The share of 64 episodes that it solves, with noise on the actions."""

    def make(num_envs):
        return make_envs(task, delay, num_envs, autoreset_mode="Disabled", action_noise=0.1)

    return np.mean([row["success"] for row in chunkenv.evaluate_batch(make, agent, episodes=64, seed=1)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="chunkenv/kinetix-chain_lander-v0", help="one of `chunkenv tasks`")
    parser.add_argument("--delay", type=int, default=3, help="control steps that an inference takes")
    parser.add_argument("--decisions", type=int, default=250_000)
    parser.add_argument(
        "--autoreset", choices=["NextStep", "SameStep"], default="NextStep", help="the loop is the same"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on two
    print(f"{options.task}, delay {options.delay}: solved of 64 episodes")
    for name, decisions in {"untrained": 0, "trained": options.decisions}.items():
        agent = train(options.task, options.delay, decisions, options.autoreset, options.seed)
        print(f"{name:<9}  {solved(agent, options.task, options.delay):.0%}")
