"""What infos say: whether the task was solved, and those of a vector environment, one dict per environment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import repeat
from typing import Any, cast

import numpy as np

from chunkenv.utils.types import Info

SUCCESS_KEYS = ("success", "is_success")
"""What environments call it: most of them, and those for Stable-Baselines3; the first that says something counts."""

FIRST_SUCCESS = "first_success"
"""In the info of a decision: ticks played when a tick first reported success; there only if one did."""


def reported_success(info: Info) -> bool | None:
    """Whether an info reports success; None if it does not say, which includes None, NaN and what is no single value.

    >>> [reported_success(info) for info in ({"success": np.array(1.0)}, {"is_success": False}, {"success": None}, {})]
    [True, False, None, None]
    """
    if FIRST_SUCCESS in info:
        return True
    for key in SUCCESS_KEYS:
        if key in info and (truth := _truth(info[key])) is not None:
            return truth
    return None


def _truth(value: Any) -> bool | None:
    """A number's truth."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    try:
        number = float(np.asarray(value, np.float64).item()) if not isinstance(value, str) else math.nan
    except (TypeError, ValueError, RuntimeError):
        return None
    return None if math.isnan(number) else bool(number)


def without_unknown_success(info: Info) -> Info:
    """`info` without a success that it does not tell, of which an array of many environments' bools would make one.

    >>> without_unknown_success({"success": None, "ticks": 3}), without_unknown_success({"success": True})
    ({'ticks': 3}, {'success': True})
    """
    if not any(key in info for key in SUCCESS_KEYS) or reported_success(info) is not None:
        return info
    return {key: value for key, value in info.items() if key not in SUCCESS_KEYS}


def split_infos(infos: Info, count: int) -> list[Info]:
    """One dict per environment, of the values that its mask says it has.

    Args:
        infos: as a Gymnasium vector environment returns them: arrays [count], nested dicts of them, and for each key
            a mask under `_key`; a key without a mask belongs to every environment.
        count: the number of environments.

    >>> split_infos({"ticks": np.array([4, 0]), "_ticks": np.array([True, False])}, 2)
    [{'ticks': 4}, {}]
    """
    masks = {key: infos.get(f"_{key}", np.True_) for key in infos if not _is_mask(key, infos)}
    whole = [key for key, mask in masks.items() if np.count_nonzero(mask) == mask.size]
    columns = [_column(infos[key], count) for key in whole]
    rows = list(map(dict, map(zip, repeat(whole), zip(*columns, strict=True))))
    rows = rows or [{} for _ in range(count)]
    for key in masks.keys() - set(whole):
        column = _column(infos[key], count)
        for index in np.flatnonzero(masks[key]).tolist():
            rows[index][key] = column[index]
    return rows


def _is_mask(key: str, infos: Info) -> bool:
    return key.startswith("_") and key[1:] in infos


def _column(values: object, count: int) -> Sequence[Any]:
    """One value per environment: Python's own numbers where they are numbers, which callbacks and loggers expect."""
    if isinstance(values, dict):
        return split_infos(values, count)
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return values.tolist()
    return cast("Sequence[Any]", values)
