"""The infos of a vector environment, one dict per environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from chunkenv.utils.types import Info


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
    whole = [key for key, mask in masks.items() if mask.all()]
    columns = [_column(infos[key], count) for key in whole]
    rows = [dict(zip(whole, values, strict=True)) for values in zip(*columns, strict=True)] if whole else []
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
