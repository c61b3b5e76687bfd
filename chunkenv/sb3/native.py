"""Our tasks for Stable-Baselines3 without Python between ticks: all environments play their cycles in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorActionWrapper, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from chunkenv.making import plays_cycles
from chunkenv.sb3.monitor import RETURN
from chunkenv.utils.batching import Infos, Playback
from chunkenv.utils.types import Action, Observation
from chunkenv.wrappers.flat_decisions import FlatDecisions


def is_native(id_or_env_fn: object, env_kwargs: dict[str, Any]) -> TypeGuard[str]:
    """Whether it is an id whose environments play whole cycles in one call, and as they are asked for: no windows."""
    renders = env_kwargs.get("render_mode") in (None, "rgb_array")
    return isinstance(id_or_env_fn, str) and renders and plays_cycles(id_or_env_fn)


def native_ticks(id: str, n_envs: int, env_kwargs: dict[str, Any]) -> VectorReturns:
    """The environments of an id that `is_native`, stepped tick by tick, with their undiscounted returns."""
    ticks = gym.make_vec(id, n_envs, "vector_entry_point", autoreset_mode=AutoresetMode.SAME_STEP, **env_kwargs)
    return VectorReturns(ticks)


class VectorReturns(VectorWrapper):
    """`UndiscountedReturn` for a vector environment that plays several ticks in one call, such as `KinetixVectorEnv`.

    Args:
        env: with the methods of `chunkenv.utils.batching.Playable`.
    """

    env: Any

    def __init__(self, env: VectorEnv) -> None:
        super().__init__(env)
        self._sums = np.zeros(env.num_envs)

    def restart(
        self, members: np.ndarray, seeds: Sequence[int | None], options: dict[str, Any] | None
    ) -> tuple[Observation, Infos]:
        """Start episodes in some environments (bool[N]) with nothing summed."""
        self._sums[members] = 0.0
        return self.env.restart(members, seeds, options)

    def play(self, actions: Action, ticks: np.ndarray, *, every_tick: bool = False) -> Playback:
        """Play each environment's number of ticks."""
        play = self.env.play(actions, ticks, every_tick=every_tick)
        self._sums += play.rewards.sum(axis=1)
        counted = {RETURN: self._sums.copy(), f"_{RETURN}": play.ticks > 0}
        return play._replace(infos={**play.infos, **counted})

    def observe(self) -> Observation:
        """The present observation of each environment."""
        return self.env.observe()


class FlatVectorChunks(VectorActionWrapper):
    """`FlattenChunk` for a vector environment of chunks.

    Args:
        env: whose chunks, or decisions, have a flat form.
    """

    def __init__(self, env: VectorEnv) -> None:
        super().__init__(env)
        self._flat = FlatDecisions(env.single_action_space)
        self.single_action_space = self._flat.space
        self.action_space = batch_space(self.single_action_space, env.num_envs)

    def actions(self, actions: np.ndarray) -> Action:
        """The chunks of flat vectors, [N, H, A]."""
        return self._flat.nest(actions)
