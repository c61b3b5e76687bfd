"""How many wrappers of one kind lie inside another, so that each gets a random stream of its own."""

from __future__ import annotations

import gymnasium as gym

from chunkenv.utils.types import AnyEnv


def depth_of(kind: type[gym.Wrapper], env: AnyEnv) -> int:
    """The number of `kind` wrappers in `env`'s stack."""
    depth = 0
    while isinstance(env, gym.Wrapper):
        depth += isinstance(env, kind)
        env = env.env
    return depth
