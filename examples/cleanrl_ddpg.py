"""DDPG as CleanRL writes it, in one file, over chunks whose decisions last 2 to 4 control steps.

    python examples/cleanrl_ddpg.py                              # half a minute
    python examples/cleanrl_ddpg.py --envs 1 --chunks inside     # CleanRL's own vector of one environment

Needs `pip install "chunkenv" "gymnasium[classic-control]" torch`. Every control step pays 1 here, and only a time limit
ends an episode: the value of every state is 1 / (1 - 0.9) = 10, so one sees whether the loop discounts as it should.
Put your environment into `make_world`.
"""

import argparse
import copy

import gymnasium as gym
import numpy as np
import torch
from torch import nn

from chunkenv.latency import Uniform
from chunkenv.vector import ChunkedVectorExecution, read_decisions
from chunkenv.wrappers import ChunkedExecution

GAMMA, TAU, BATCH = 0.9, 0.05, 128
"""GAMMA is the discount of one control step."""
CHUNKS = {"prediction_horizon": 8, "execution_horizon": 2, "latency": Uniform(0.0, 0.2), "observe_prefix": "flat"}
"""An inference takes 0 to 4 control steps of 50 ms, and a decision 2 to 4."""


def make_world():
    """Pendulum, paid by the control step; without `TransformReward` it is the usual one."""
    return gym.wrappers.TransformReward(gym.make("Pendulum-v1", max_episode_steps=50), lambda reward: 1.0)


def make_envs(num_envs, chunks):
    """Chunks inside each environment, as CleanRL's `make_env` would wrap it, or around the vector of them."""
    if chunks == "inside":
        return gym.vector.SyncVectorEnv(
            [lambda: ChunkedExecution(make_world(), **CHUNKS, discount=GAMMA) for _ in range(num_envs)]
        )
    return ChunkedVectorExecution(gym.vector.SyncVectorEnv([make_world] * num_envs), **CHUNKS, discount=GAMMA)


def network(inputs, outputs):
    """Two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs), nn.Flatten(0)
    )


class Agent(nn.Module):
    """An actor of flat chunks between -1 and 1, and a critic."""

    def __init__(self, observation_size, chunk_size):
        super().__init__()
        self.chunk_size = chunk_size
        self.pi, self.q = network(observation_size, chunk_size), network(observation_size + chunk_size, 1)

    def act(self, observations):
        """Flat chunks [N, H * A]."""
        return torch.tanh(self.pi(observations)).view(len(observations), self.chunk_size)

    def value(self, observations, chunks):
        """What the critic says, [N]."""
        return self.q(torch.cat([observations, chunks], dim=-1))


def decide(envs, observations, flat, one_gamma=None):
    """Play a decision of each environment; the observations to go on from, and the transitions to learn from.

    The two lines: `read_decisions`, and its `discounts`, GAMMA to the power of the ticks, in place of one gamma.
    """
    chunks = flat.reshape(envs.action_space.shape) * envs.single_action_space.high
    step = envs.step(chunks)
    made = read_decisions(envs, *step)
    discounts = made.discounts if one_gamma is None else one_gamma * ~made.terminated
    columns = observations, flat, made.rewards, discounts, made.last_observations
    return step[0], [column[made.decided].astype(np.float32) for column in columns]


def update(agent, target, optimizers, observations, flat, rewards, discounts, last_observations):
    """One step of the critic, one of the actor, and the targets a little further."""
    with torch.no_grad():
        later = target.value(last_observations, target.act(last_observations))
        aim = rewards + discounts * later  # CleanRL: rewards + (1 - dones) * args.gamma * later
    for optimizer, loss in (
        (optimizers[0], lambda: (agent.value(observations, flat) - aim).square().mean()),
        (optimizers[1], lambda: -agent.value(observations, agent.act(observations)).mean()),
    ):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), agent.parameters(), strict=True):
            slow.lerp_(fast, TAU)


def train(num_envs, chunks, updates, mended, seed=0):
    """What the critic says, on average, of the decisions that were played."""
    torch.manual_seed(seed)
    rng, envs = np.random.default_rng(seed), make_envs(num_envs, chunks)
    agent = Agent(envs.single_observation_space.shape[0], int(np.prod(envs.single_action_space.shape)))
    target = copy.deepcopy(agent)
    optimizers = [torch.optim.Adam(agent.q.parameters(), 1e-3), torch.optim.Adam(agent.pi.parameters(), 1e-3)]
    replay, (observations, _) = [[] for _ in range(5)], envs.reset(seed=seed)
    for _ in range(updates):
        with torch.no_grad():
            flat = agent.act(torch.as_tensor(observations)).numpy()
        flat = (flat + rng.normal(0, 0.3, flat.shape)).clip(-1, 1)
        observations, transitions = decide(envs, observations, flat, None if mended else GAMMA)
        for column, new in zip(replay, transitions, strict=True):
            column.extend(new)
        rows = rng.integers(len(replay[0]), size=BATCH) if replay[0] else []
        update(agent, target, optimizers, *(torch.as_tensor(np.array([c[row] for row in rows])) for c in replay))
    envs.close()
    with torch.no_grad():
        return float(agent.value(*(torch.as_tensor(np.array(column)) for column in replay[:2])).mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=int, default=4)
    parser.add_argument("--chunks", choices=["around", "inside"], default="around", help="of the vector or in each")
    parser.add_argument("--updates", type=int, default=1000, help="decisions of every environment")
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on two
    print("every state is worth 10.0")
    for name, mended in {"discounts of the decisions": True, "one gamma for each": False}.items():
        found = train(options.envs, options.chunks, options.updates, mended)
        print(f"{name}: the critic says {found:.1f}")
