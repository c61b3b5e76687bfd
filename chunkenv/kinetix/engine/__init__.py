"""The Kinetix engine: a float32 rigid-body simulator compiled by numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.kinetix.engine.level_simulator import STATE_SIZE, LevelSimulator, PlayedChunks, Rollout
    from chunkenv.kinetix.engine.simulator import Simulator

__all__ = ["STATE_SIZE", "LevelSimulator", "PlayedChunks", "Rollout", "Simulator"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "level_simulator": "STATE_SIZE LevelSimulator PlayedChunks Rollout",
        "simulator": "Simulator",
    },
    "kinetix",
)
