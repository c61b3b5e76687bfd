"""`chunkenv tasks`."""

from __future__ import annotations

import gymnasium as gym
from rich.console import Console
from rich.table import Table

from chunkenv.manipulation.families import CONTROL_DT, FAMILY
from chunkenv.registration import LEVEL_TASKS, TASKS
from chunkenv.utils.extras import require


def tasks() -> None:
    """List the tasks: ids, spaces, time limits, control periods."""
    require("kinetix")
    table = Table("id", "observation", "action", "limit", "control_dt", box=None, padding=(0, 1, 0, 0))
    for task in LEVEL_TASKS:
        env = gym.make(task.id)
        limit = env.spec.max_episode_steps if env.spec else None
        spaces = (_shape(env.observation_space), _shape(env.action_space))
        table.add_row(task.id, *spaces, f"{limit}", f"1/{env.metadata['render_fps']} s")
        env.close()
    _add_families(table)
    console = Console(highlight=False)
    console.print(table)
    console.print("\nThe limit is in ticks (control steps); control_dt is the time of one.")


def _add_families(table: Table) -> None:
    """Two lines for each family: its tasks, and all of them conditioned on the goal. Nothing is compiled for it."""
    for name, family in FAMILY.items():
        rest = "Box[5]", f"{family.time_limit}", f"1/{1 / CONTROL_DT:.0f} s"
        table.add_row(f"chunkenv/manip-{name}-task{TASKS[0]}..{TASKS[-1]}-v0", f"Box[{family.features}]", *rest)
        table.add_row(f"chunkenv/manip-{name}-v0", "Dict", *rest)


def _shape(space: gym.Space) -> str:
    """A space in a few characters."""
    return f"{type(space).__name__}{list(space.shape or ())}"
