"""`chunkenv tasks`."""

from __future__ import annotations

import gymnasium as gym
from rich.console import Console
from rich.table import Table

from chunkenv.cli.console_tables import print_table
from chunkenv.manipulation.families import CONTROL_DT, FAMILY
from chunkenv.registration import GOAL_TASKS, LEVEL_TASKS, NUMBERED_TASKS
from chunkenv.utils.extras import require

NOTES = """
The limit is in ticks (control steps); control_dt is the time of one. Short names do, too: catapult, scene-task1. Box2D
is another simulator (extra box2d): the same levels, other physics. A manipulation task without a number has another
goal in every episode, and shows it: its observation is a Dict.
"""


def tasks() -> None:
    """List the tasks: ids, spaces, time limits, control periods."""
    require("kinetix")
    table = Table("id", "observation", "action", "limit", "control_dt", box=None, padding=(0, 1, 0, 0))
    _add_levels(table)
    _add_families(table)
    console = Console(highlight=False)
    print_table(console, table)
    console.print(f"\n{' '.join(NOTES.split())}")


def _add_levels(table: Table) -> None:
    """A line for each level, and one for it in Box2D, which has the same spaces."""
    rows = {}
    for task in LEVEL_TASKS:
        env = gym.make(task.id)
        limit = env.spec.max_episode_steps if env.spec else None
        spaces = (_shape(env.observation_space), _shape(env.action_space))
        rows[task] = (*spaces, f"{limit}", f"1/{env.metadata['render_fps']} s")
        env.close()
    for task, row in rows.items():
        table.add_row(task.id, *row)
    for task, row in rows.items():
        table.add_row(task.box2d_id, *row)


def _add_families(table: Table) -> None:
    """A line for each task. Nothing is compiled for it."""
    for task in (*NUMBERED_TASKS, *GOAL_TASKS):
        family = FAMILY[str(task.family)]
        observation = f"Box[{family.features}]" if task.number else "Dict"
        table.add_row(task.id, observation, "Box[5]", f"{family.time_limit}", f"1/{1 / CONTROL_DT:.0f} s")


def _shape(space: gym.Space) -> str:
    """A space in a few characters."""
    return f"{type(space).__name__}{list(space.shape or ())}"
