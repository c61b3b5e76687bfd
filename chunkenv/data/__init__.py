"""Trajectories: of experts, a planner or an oracle, kept as columns, read as windows of chunks; Minari in and out.

`load` and `Windows` need nothing but numpy; `collect` and `collect_plans` play episodes in the Kinetix engine,
`collect_oracle` in MuJoCo, which are imported when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from chunkenv.data.dataset import Dataset, Episodes, load
from chunkenv.data.dataset_files import DataError
from chunkenv.data.windows import Windows, split_episodes

if TYPE_CHECKING:
    from chunkenv.collect.collect import collect, collect_oracle, collect_plans

__all__ = [
    "DataError",
    "Dataset",
    "Episodes",
    "Windows",
    "collect",
    "collect_oracle",
    "collect_plans",
    "load",
    "split_episodes",
]


def __getattr__(name: str) -> Any:
    if name in ("collect", "collect_oracle", "collect_plans"):
        return getattr(importlib.import_module("chunkenv.collect.collect"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
