"""The twelve dynamic Kinetix tasks: levels, a float32 rigid-body engine and its Gymnasium environment.

Importing this package imports neither numba nor the engine; the first environment does.
"""

from __future__ import annotations

import gymnasium

LEVELS = (
    "grasp_easy",
    "catapult",
    "cartpole_thrust",
    "hard_lunar_lander",
    "mjc_half_cheetah",
    "mjc_swimmer",
    "mjc_walker",
    "h17_unicycle",
    "chain_lander",
    "catcher_v3",
    "trampoline",
    "car_launch",
)
"""The names of the twelve levels, in the order of the real-time chunking benchmark."""

TIME_LIMIT = 256
"""Control steps after which an episode is truncated."""


def register() -> None:
    """Register every level, each with a time limit of `TIME_LIMIT` steps.

    `chunkenv/kinetix-<level>-v0` is played by our own engine or, with `backend="jax"`, by the reference;
    `chunkenv/kinetix-<level>-box2d-v0` is the same level in another simulator, a task of its own.
    """
    for level in LEVELS:
        gymnasium.register(
            id=f"chunkenv/kinetix-{level}-v0",
            entry_point="chunkenv.kinetix.env:KinetixEnv",
            vector_entry_point="chunkenv.vector.kinetix:make_kinetix",
            max_episode_steps=TIME_LIMIT,
            kwargs={"level": level},
        )
        gymnasium.register(
            id=f"chunkenv/kinetix-{level}-box2d-v0",
            entry_point="chunkenv.kinetix.backends.box2d_env:Box2DKinetixEnv",
            max_episode_steps=TIME_LIMIT,
            kwargs={"level": level},
        )
