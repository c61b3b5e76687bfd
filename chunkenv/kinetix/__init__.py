"""The twelve dynamic Kinetix tasks: levels, a float32 rigid-body engine and its Gymnasium environments.

Importing this package imports neither numba nor the engine; the first environment does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chunkenv.registration import LEVELS, TIME_LIMIT
from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.kinetix.backends.selection import open_simulator
    from chunkenv.kinetix.engine.level_simulator import LevelSimulator, Rollout
    from chunkenv.kinetix.engine.simulator import Simulator
    from chunkenv.kinetix.engine_model import EngineModel
    from chunkenv.kinetix.env import KinetixEnv
    from chunkenv.kinetix.level import Level, load_level, robot_features, used_channels
    from chunkenv.kinetix.vector_env import KinetixVectorEnv

__all__ = [
    "LEVELS",
    "TIME_LIMIT",
    "EngineModel",
    "KinetixEnv",
    "KinetixVectorEnv",
    "Level",
    "LevelSimulator",
    "Rollout",
    "Simulator",
    "load_level",
    "open_simulator",
    "robot_features",
    "used_channels",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "backends.selection": "open_simulator",
        "engine.level_simulator": "LevelSimulator Rollout",
        "engine.simulator": "Simulator",
        "engine_model": "EngineModel",
        "env": "KinetixEnv",
        "level": "Level load_level robot_features used_channels",
        "vector_env": "KinetixVectorEnv",
    },
    "kinetix",
)
