"""Datasets of others, read and written: Minari, LeRobot, and ogbench's published files."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.data.formats.lerobot import from_lerobot
    from chunkenv.data.formats.minari import from_minari, to_minari
    from chunkenv.data.formats.ogbench import from_ogbench

__all__ = ["from_lerobot", "from_minari", "from_ogbench", "to_minari"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "lerobot": "from_lerobot",
        "minari": "from_minari to_minari",
        "ogbench": "from_ogbench",
    },
)
