"""Stable-Baselines3 on chunked, delayed tasks, with the discount of every decision right.

    from stable_baselines3 import SAC
    from chunkenv.sb3 import ChunkReplayBuffer, make_sb3_env

    env = make_sb3_env("Pendulum-v1", prediction_horizon=4, execution_horizon=2, latency=2, discount=0.99)
    model = SAC("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer)
    model.learn(10_000)

A decision lasts n control steps, so its successor's value is worth discount**n (Sutton, Precup and Singh 1999). The
discount is the environment's: the `gamma` of an algorithm is not used with the buffers and algorithms of this package.
"""

from chunkenv.utils.extras import missing_extra

try:
    import stable_baselines3  # noqa: F401 (the modules below cannot say in one sentence what to install)
except ImportError as error:
    raise missing_extra("stable_baselines3 is", "sb3") from error

from chunkenv.sb3.algorithms import ChunkA2C, ChunkPPO, PerDecisionDiscounts, chunk_ppo
from chunkenv.sb3.chunk_replay import ChunkDictReplayBuffer, ChunkReplayBuffer
from chunkenv.sb3.make import make_sb3_env
from chunkenv.sb3.model_policy import ModelPolicy
from chunkenv.sb3.rollout_buffer import ChunkDictRolloutBuffer, ChunkRolloutBuffer
from chunkenv.sb3.vec_env import SB3VecEnv

__all__ = [
    "ChunkA2C",
    "ChunkDictReplayBuffer",
    "ChunkDictRolloutBuffer",
    "ChunkPPO",
    "ChunkReplayBuffer",
    "ChunkRolloutBuffer",
    "ModelPolicy",
    "PerDecisionDiscounts",
    "SB3VecEnv",
    "chunk_ppo",
    "make_sb3_env",
]
