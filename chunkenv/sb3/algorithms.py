"""PPO and A2C of Stable-Baselines3 with a discount for each decision."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from chunkenv.errors import ArgumentError
from chunkenv.sb3.discounts import discounts_of
from chunkenv.sb3.rollout_buffer import ChunkRolloutBuffer, add_discounts
from chunkenv.utils.types import Info, Observation


class PerDecisionDiscounts(OnPolicyAlgorithm):
    """What makes an on-policy algorithm of Stable-Baselines3 discount each decision by discount**n.

        class ChunkTRPO(PerDecisionDiscounts, sb3_contrib.TRPO): ...
        class ChunkRecurrentPPO(PerDecisionDiscounts, sb3_contrib.RecurrentPPO): ...

    The discounts are the environment's (`info['discount']`); `gamma` has no effect. Everything else, saving and loading
    too, is the algorithm's own: so is its rollout buffer, to which `ChunkRolloutBuffer` is mixed in.

    Raises:
        ArgumentError: for gamma=0, or another rollout buffer than a `ChunkRolloutBuffer`; when it learns, if an
            environment's info has no 'discount'.
    """

    def _setup_model(self) -> None:
        if self.rollout_buffer_class is not None:
            _expect_buffer(self.rollout_buffer_class)
        if self.gamma == 0:
            raise ArgumentError(
                "gamma=0 is not the discount here: leave gamma out, and give make_sb3_env discount=0 if you mean it."
            )
        super()._setup_model()
        self.rollout_buffer_class = add_discounts(self.rollout_buffer)

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int, *rest: Any
    ) -> bool:
        """Fill the buffer, with the discounts of the environments; `rest` is the algorithm's own, such as masking."""
        assert isinstance(rollout_buffer, ChunkRolloutBuffer)
        reader = _DiscountReader(env, rollout_buffer)
        return super().collect_rollouts(reader, callback, rollout_buffer, n_rollout_steps, *rest)


class ChunkPPO(PerDecisionDiscounts, PPO):
    """PPO for decisions of n control steps; the arguments are those of `stable_baselines3.PPO`.

    `gamma` has no effect: the discount is the environment's.

    >>> from chunkenv.sb3 import make_sb3_env
    >>> env = make_sb3_env("CartPole-v1", prediction_horizon=2, latency=1)
    >>> model = ChunkPPO("MlpPolicy", env, n_steps=32, batch_size=32, device="cpu").learn(32)
    """


class ChunkA2C(PerDecisionDiscounts, A2C):
    """A2C for decisions of n control steps; the arguments are those of `stable_baselines3.A2C`.

    `gamma` has no effect: the discount is the environment's.
    """


def chunk_ppo(env: VecEnv, **arguments: Any) -> ChunkPPO:
    """PPO for an environment of `make_sb3_env`, with the policy that its observations need.

    Args:
        env: a VecEnv of chunked environments.
        arguments: those of `stable_baselines3.PPO`, without `gamma`.

    Raises:
        ArgumentError: for a gamma.
    """
    if "gamma" in arguments:
        raise ArgumentError(
            f"gamma={arguments['gamma']!r} would have no effect: the discount is the environment's; "
            "give it to make_sb3_env as discount."
        )
    policy = "MultiInputPolicy" if isinstance(env.observation_space, spaces.Dict) else "MlpPolicy"
    return ChunkPPO(arguments.pop("policy", policy), env, **arguments)


class _DiscountReader(VecEnvWrapper):
    """Gives a buffer what the environments return, before Stable-Baselines3 adds to it."""

    def __init__(self, venv: VecEnv, buffer: ChunkRolloutBuffer) -> None:
        super().__init__(venv)
        self._buffer = buffer

    def reset(self) -> Observation:
        return self.venv.reset()

    def step_wait(self) -> tuple[Observation, np.ndarray, np.ndarray, list[Info]]:
        observations, rewards, dones, infos = self.venv.step_wait()
        self._buffer.expect(rewards, discounts_of(infos))
        return observations, rewards, dones, infos


def _expect_buffer(buffer_class: type[RolloutBuffer]) -> None:
    if not issubclass(buffer_class, ChunkRolloutBuffer):
        raise ArgumentError(
            f"rollout_buffer_class={buffer_class.__name__} knows one discount only; leave it out, or give a "
            "subclass of ChunkRolloutBuffer (to load a model that was saved with it: "
            "load(..., custom_objects={'rollout_buffer_class': None}))."
        )
