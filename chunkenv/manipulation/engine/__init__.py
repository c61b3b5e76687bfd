"""Many manipulation environments played side by side in compiled code, on MuJoCo's own data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.manipulation.engine.engine import Engine, PlayedTicks

__all__ = ["Engine", "PlayedTicks"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "engine": "Engine PlayedTicks _revived",
    },
    "manipulation",
)
