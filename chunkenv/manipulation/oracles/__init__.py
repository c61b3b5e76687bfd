"""Oracles of the manipulation tasks: they know the whole state and solve whole tasks.

`Oracle` acts tick by tick, `OraclePolicy` in chunks, `Actor` in the styles in which data is collected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.manipulation.oracles.imperfect import Imperfection, ImperfectOracle
    from chunkenv.manipulation.oracles.oracle import Oracle, next_subgoal
    from chunkenv.manipulation.oracles.oracle_policy import OraclePolicy
    from chunkenv.manipulation.oracles.random_subgoals import random_subgoal
    from chunkenv.manipulation.oracles.styles import STYLES, Actor
    from chunkenv.manipulation.oracles.subgoal import SubGoal

__all__ = [
    "STYLES",
    "Actor",
    "ImperfectOracle",
    "Imperfection",
    "Oracle",
    "OraclePolicy",
    "SubGoal",
    "next_subgoal",
    "random_subgoal",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "imperfect": "ImperfectOracle Imperfection",
        "oracle": "Oracle next_subgoal",
        "oracle_policy": "OraclePolicy",
        "random_subgoals": "random_subgoal",
        "styles": "Actor STYLES",
        "subgoal": "SubGoal",
    },
    "manipulation",
)
