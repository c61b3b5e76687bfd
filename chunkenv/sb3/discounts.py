"""The discounts of decisions, as infos have them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.utils.types import Info


def discounts_of(infos: Sequence[Info]) -> np.ndarray:
    """What the value after each decision is multiplied by, float64[n_envs]: discount**n, 0 once terminated.

    Raises:
        ArgumentError: if an environment's info does not have it.

    >>> discounts_of([{"discount": 0.25}, {"discount": 0.0}])
    array([0.25, 0.  ])
    """
    try:
        return np.fromiter(map(itemgetter("discount"), infos), np.float64, len(infos))
    except KeyError:
        index = next(index for index, info in enumerate(infos) if "discount" not in info)
        raise ArgumentError(
            f"the info of environment {index} has no 'discount': make the environment with "
            "chunkenv.sb3.make_sb3_env, or use Stable-Baselines3's own buffer or algorithm."
        ) from None
