"""ogbench's scenes: their models, states, goals and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.manipulation.scene.goals import agreement, desired_objects, objects_of
    from chunkenv.manipulation.scene.privileged_state import read_facts
    from chunkenv.manipulation.scene.state import StateLayout, read_state, state_layout, write_state
    from chunkenv.manipulation.scene.worlds import World, open_world

__all__ = [
    "StateLayout",
    "World",
    "agreement",
    "desired_objects",
    "objects_of",
    "open_world",
    "read_facts",
    "read_state",
    "state_layout",
    "write_state",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "goals": "agreement desired_objects objects_of",
        "privileged_state": "read_facts",
        "state": "StateLayout read_state state_layout write_state",
        "worlds": "World open_world",
    },
    "manipulation",
)
