"""PPO of TorchRL over chunks whose decisions last 2 to 4 control steps, with one environment or a vector of them.

    python examples/torchrl_ppo.py              # a vector of four environments, half a minute
    python examples/torchrl_ppo.py --envs 1     # one environment

Needs `pip install "chunkenv" "gymnasium[classic-control]" torchrl`. Every control step pays 1 here, and only a time
limit ends an episode: the value of every state is 1 / (1 - 0.9) = 10, so one sees whether the loop discounts as it
should. Put your environment into `make_world`.
"""

import argparse

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from tensordict.nn import TensorDictModule, TensorDictSequential
from torch import nn
from torchrl.data import Unbounded
from torchrl.envs import GymWrapper, default_info_dict_reader
from torchrl.modules import IndependentNormal, NormalParamExtractor, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from chunkenv.latency import Uniform
from chunkenv.vector import ChunkedVectorExecution
from chunkenv.wrappers import ChunkedExecution

GAMMA, LAMBDA, STEPS, EPOCHS = 0.9, 0.95, 32, 10
"""GAMMA is the discount of one control step; LAMBDA counts decisions."""
CHUNKS = {"prediction_horizon": 8, "execution_horizon": 2, "latency": Uniform(0.0, 0.2), "observe_prefix": "flat"}
"""An inference takes 0 to 4 control steps of 50 ms, and a decision 2 to 4."""


class InfoArrays(default_info_dict_reader):
    """Reads numbers of `info` as arrays: those of a single environment are plain ones, without the dtype it wants."""

    def __call__(self, info_dict, tensordict):
        """Into the tensordict."""
        return super().__call__({key: np.asarray(info_dict[key]) for key in self.keys if key in info_dict}, tensordict)


def make_world():
    """Pendulum, paid by the control step; without `TransformReward` it is the usual one."""
    return gym.wrappers.TransformReward(gym.make("Pendulum-v1", max_episode_steps=50), lambda reward: 1.0)


def make_env(num_envs):
    """One environment of chunks or a vector of them."""
    if num_envs == 1:
        chunked = ChunkedExecution(make_world(), **CHUNKS, discount=GAMMA)
    else:
        worlds = SyncVectorEnv([make_world] * num_envs, autoreset_mode=AutoresetMode.DISABLED)
        chunked = ChunkedVectorExecution(worlds, **CHUNKS, discount=GAMMA)
    return read_ticks(chunked)


def read_ticks(chunked):
    """An environment of TorchRL that knows how many ticks each decision had, as `data["next", "ticks"]`."""
    env = GymWrapper(chunked)
    env.set_info_dict_reader(InfoArrays(["ticks"], [Unbounded(env.batch_size, dtype=torch.int64)]))
    return env  # what the line above returns lacks the transforms that read the ends of SAME_STEP


def network(inputs, *last):
    """Two hidden layers."""
    return nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), *last)


def make_actor(env):
    """A Gaussian over whole chunks."""
    shape = env.action_spec_unbatched.shape
    size = shape.numel()
    last = nn.Linear(64, 2 * size), nn.Unflatten(-1, (*shape[:-1], 2 * shape[-1])), NormalParamExtractor()
    means = TensorDictModule(
        network(env.observation_spec["observation"].shape[-1], *last), ["observation"], ["loc", "scale"]
    )
    return ProbabilisticActor(
        TensorDictSequential(means),
        spec=env.action_spec_unbatched,
        in_keys=["loc", "scale"],
        distribution_class=IndependentNormal,
        distribution_kwargs={"event_dim": len(shape)},
        return_log_prob=True,
    )


def train(num_envs, updates, mended, seed=0):
    """What the critic says, on average, of the states that were seen last."""
    torch.manual_seed(seed)
    env = make_env(num_envs)
    env.set_seed(seed)
    actor = make_actor(env)
    critic = ValueOperator(network(env.observation_spec["observation"].shape[-1], nn.Linear(64, 1)))
    advantage, loss = GAE(gamma=GAMMA, lmbda=LAMBDA, value_network=critic), ClipPPOLoss(actor, critic)
    optimizer = torch.optim.Adam(loss.parameters(), 3e-3)
    for _ in range(updates):
        with torch.no_grad():
            data = env.rollout(STEPS, actor, break_when_any_done=False)
        if mended:  # GAE and all losses read it: gamma ** steps_to_next_obs
            data["steps_to_next_obs"] = data["next", "ticks"]
        for _ in range(EPOCHS):
            advantage(data)
            losses = loss(data.reshape(-1))
            optimizer.zero_grad()
            sum(value for key, value in losses.items() if key.startswith("loss_")).backward()
            optimizer.step()
    env.close()
    return float(data["state_value"].mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=int, default=4)
    parser.add_argument("--updates", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on two
    print("every state is worth 10.0")
    for name, mended in {"discounts of the decisions": True, "one gamma for each": False}.items():
        print(f"{name}: the critic says {train(options.envs, options.updates, mended):.1f}")
