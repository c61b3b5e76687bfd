"""The environment that a dataset is about, made again from what its `info` says."""

from __future__ import annotations

from typing import Any, NamedTuple

from chunkenv.kinetix import LEVELS
from chunkenv.manipulation.families import FAMILIES

MANIPULATION = "manip-"


class Environment(NamedTuple):
    """What `gymnasium.make` needs: an id, and arguments beside its own."""

    id: str
    arguments: dict[str, Any]


def environment_of(info: dict[str, Any]) -> Environment | None:
    """The environment of a dataset; None if it is none of ours.

    >>> environment_of({"level": "catapult", "observation": "compact"})
    Environment(id='chunkenv/kinetix-catapult-v0', arguments={'observation': 'compact'})
    >>> environment_of({"level": "manip-cube-single-task2", "arguments": {"reward": "sparse"}})
    Environment(id='chunkenv/manip-cube-single-task2-v0', arguments={'reward': 'sparse'})
    """
    level = info.get("level")
    if level in LEVELS:
        return Environment(f"chunkenv/kinetix-{level}-v0", {"observation": info["observation"]})
    if family_of(level) is not None:
        return Environment(f"chunkenv/{level}-v0", dict(info.get("arguments", {})))
    return None


def family_of(level: Any) -> str | None:
    """The family of a manipulation task by the level's name; None if it is none.

    >>> family_of("manip-puzzle-4x4-task1"), family_of("catapult")
    ('puzzle-4x4', None)
    """
    if not isinstance(level, str) or not level.startswith(MANIPULATION):
        return None
    family, _, task = level.removeprefix(MANIPULATION).rpartition("-task")
    return family if family in FAMILIES and task in ("1", "2", "3", "4", "5") else None
