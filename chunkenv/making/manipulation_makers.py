"""The entry points of the manipulation ids for `gymnasium.make`, which need no numba."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chunkenv.making.makers import EnvMaker
from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.manipulation.goal_env import GoalManipulationEnv
from chunkenv.registration import FAMILY_TIME_LIMITS


def _find_time_limit(arguments: Mapping[str, Any]) -> int:
    return FAMILY_TIME_LIMITS[arguments["family"]]


make_manipulation_env = EnvMaker(ManipulationEnv, _find_time_limit, ManipulationEnv.metadata)
make_goal_manipulation_env = EnvMaker(GoalManipulationEnv, _find_time_limit, GoalManipulationEnv.metadata)
