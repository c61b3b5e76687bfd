"""Long-horizon manipulation: ten families of ogbench tasks (Park et al., arXiv 2410.20092) as Gymnasium ids.

ogbench has the scenes, the tasks and the physics (MuJoCo); this package mends how they are played. Importing it
imports neither; the first environment does.
"""

from __future__ import annotations

import gymnasium

from chunkenv.manipulation.families import FAMILIES as FAMILIES
from chunkenv.manipulation.families import FAMILY, TASKS

VECTORS = "chunkenv.vector.manipulation:make_manipulation"


def register() -> None:
    """Register every task, each with its family's time limit.

    `chunkenv/manip-<family>-task<k>-v0` is one task with a reward; `chunkenv/manip-<family>-v0` is goal-conditioned:
    the goal, one of the five tasks, is part of the observation.
    """
    for name, family in FAMILY.items():
        for task in TASKS:
            gymnasium.register(
                id=f"chunkenv/manip-{name}-task{task}-v0",
                entry_point="chunkenv.manipulation.env:ManipulationEnv",
                vector_entry_point=VECTORS,
                max_episode_steps=family.time_limit,
                kwargs={"family": name, "task": task},
            )
        gymnasium.register(
            id=f"chunkenv/manip-{name}-v0",
            entry_point="chunkenv.manipulation.goal_env:GoalManipulationEnv",
            vector_entry_point=VECTORS,
            max_episode_steps=family.time_limit,
            kwargs={"family": name},
        )
