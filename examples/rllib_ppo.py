"""PPO of RLlib over chunks whose decisions last 2 to 4 control steps, vectorised by RLlib or by chunkenv.

    python examples/rllib_ppo.py                    # RLlib makes a vector of chunked environments, a minute
    python examples/rllib_ppo.py --chunks around    # chunks around a vector of environments

Needs `pip install "chunkenv" "gymnasium[classic-control]" "ray[rllib]" torch`. Every control step pays 1 here, and only
a time limit ends an episode: the value of every state is 1 / (1 - 0.9) = 10, so one sees whether the loop discounts as
it should. Put your environment into `make_world`.
"""

import argparse

import gymnasium as gym
import ray
import torch
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers.vector import TransformAction
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.connectors.connector_v2 import ConnectorV2
from ray.rllib.core.columns import Columns
from ray.tune import register_env

from chunkenv.latency import Uniform
from chunkenv.vector import ChunkedVectorExecution
from chunkenv.wrappers import ChunkedExecution, FlatDecisions, FlattenChunk

GAMMA, ENVS = 0.9, 4
"""GAMMA is the discount of one control step."""
CHUNKS = {"prediction_horizon": 8, "execution_horizon": 2, "latency": Uniform(0.0, 0.2), "observe_prefix": "flat"}
"""An inference takes 0 to 4 control steps of 50 ms, and a decision 2 to 4."""


def make_world():
    """Pendulum, paid by the control step; without `TransformReward` it is the usual one."""
    return gym.wrappers.TransformReward(gym.make("Pendulum-v1", max_episode_steps=50), lambda reward: 1.0)


def make_env(config):
    """One environment, whose chunks are flat: RLlib refuses actions of shape [H, A]."""
    return FlattenChunk(ChunkedExecution(make_world(), **CHUNKS, discount=GAMMA))


def make_envs(config):
    """A vector of as many environments as RLlib asks for, with flat chunks."""
    envs = ChunkedVectorExecution(SyncVectorEnv([make_world] * config["num_envs"]), **CHUNKS, discount=GAMMA)
    flat = FlatDecisions(envs.single_action_space)
    return TransformAction(envs, flat.nest, single_action_space=flat.space)


class DiscountOfDecisions(ConnectorV2):
    """Puts the discount of each decision where RLlib looks for the end: it bootstraps with gamma * (1 - terminated).

    With terminated = 1 - discount / gamma that is the discount: less than 1 where a decision was long, 1 at the end.
    """

    def __init__(self, gamma):
        super().__init__()
        self.gamma = gamma

    def __call__(self, *, batch, episodes, **kwargs):
        """The batch with that column."""
        batch[Columns.TERMINATEDS] = {}
        for episode in self.single_agent_episode_iterator(episodes, agents_that_stepped_only=False):
            infos = episode.get_infos(slice(1, len(episode) + 1))
            ends = [1 - info["discount"] / self.gamma for info in infos]
            self.add_n_batch_items(batch, Columns.TERMINATEDS, ends, len(ends), episode)
        return batch


def configure(chunks, mended):
    """PPO in this process."""
    config = (
        PPOConfig()
        .rl_module(model_config={"fcnet_hiddens": [64, 64]})
        .environment("late-vector" if chunks == "around" else "late")
    )
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=ENVS)
    if chunks == "around":
        config.env_runners(gym_env_vectorize_mode=gym.VectorizeMode.VECTOR_ENTRY_POINT)
    if mended:
        config.learners(learner_connector=lambda *spaces: DiscountOfDecisions(GAMMA))
    config.training(gamma=GAMMA, lambda_=0.95, lr=3e-3, train_batch_size=256, minibatch_size=128, num_epochs=8)
    return config.training(vf_clip_param=1e6).debugging(seed=0, log_level="ERROR")


def train(chunks, updates, mended):
    """What the critic says, on average, of states at the start of episodes."""
    algorithm = configure(chunks, mended).build_algo()
    for _ in range(updates):
        algorithm.train()
    env = make_env({})
    starts = torch.stack([torch.as_tensor(env.reset(seed=seed)[0]) for seed in range(32)])
    values = algorithm.learner_group.foreach_learner(
        lambda learner: float(learner.module["default_policy"].compute_values({Columns.OBS: starts}).mean())
    )
    (mean,) = values.ignore_errors()
    algorithm.stop()
    return mean.get()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", choices=["inside", "around"], default="inside", help="of the vector or in each")
    parser.add_argument("--updates", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on two
    register_env("late", make_env)
    register_env("late-vector", make_envs)
    ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    print("every state is worth 10.0")
    for name, mended in {"discounts of the decisions": True, "one gamma for each": False}.items():
        print(f"{name}: the critic says {train(options.chunks, options.updates, mended):.1f}", flush=True)
    ray.shutdown()
