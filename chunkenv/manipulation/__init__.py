"""Long-horizon manipulation: ten families of ogbench tasks (Park et al., arXiv 2410.20092) as Gymnasium environments.

ogbench has the scenes, the tasks and the physics (MuJoCo); this package mends how they are played. Importing it
imports neither; the first environment does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chunkenv.manipulation.families import CONTROL_DT, FAMILY, Family
from chunkenv.registration import FAMILIES, TASKS
from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.manipulation.env import ManipulationEnv
    from chunkenv.manipulation.goal_env import GoalManipulationEnv
    from chunkenv.manipulation.oracles import Oracle, OraclePolicy
    from chunkenv.manipulation.vector_env import ManipulationVectorEnv

__all__ = [
    "CONTROL_DT",
    "FAMILIES",
    "FAMILY",
    "TASKS",
    "Family",
    "GoalManipulationEnv",
    "ManipulationEnv",
    "ManipulationVectorEnv",
    "Oracle",
    "OraclePolicy",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "env": "ManipulationEnv",
        "goal_env": "GoalManipulationEnv",
        "oracles.oracle": "Oracle",
        "oracles.oracle_policy": "OraclePolicy",
        "vector_env": "ManipulationVectorEnv",
    },
    "manipulation",
)
