"""What a network is given that is told a goal: what is seen, and behind it what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from chunkenv.agents.nets.mlp import Array

Seen: TypeAlias = Array | Mapping[str, Any]
"""Observations as vectors [..., O + G]; or as goal-conditioned environments have them, under "observation" and
"desired_goal"."""


def join_goal(observations: Seen, join: Any = np.concatenate) -> Array:
    """Observations as vectors.

    Args:
        observations: vectors, which stay as they are, or a dict with "observation" and "desired_goal".
        join: NumPy's or JAX's `concatenate`.

    >>> join_goal({"observation": np.array([1.0]), "achieved_goal": np.zeros(2), "desired_goal": np.array([3.0])})
    array([1., 3.])
    """
    if not isinstance(observations, Mapping):
        return observations
    return join([observations["observation"], observations["desired_goal"]], axis=-1)
