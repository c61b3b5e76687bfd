"""What a server answers, read with suspicion: maps with actions, whole chunks and parts of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from chunkenv.errors import ActionError, brief
from chunkenv.request import Chunk
from chunkenv.utils.spaces import Checked


class ReplyError(Exception):
    """An answer that is no chunk; the sentence goes on after the server's name."""


class Rows(NamedTuple):
    """Rows that have come.

    Attributes:
        chunk: the first rows of the chunk; all of it with the last answer.
        horizon: the execution horizon that the policy chose with it, None if none.
        missing: rows of the chunk that will never come; known with the last answer.
    """

    chunk: Chunk
    horizon: int | None = None
    missing: int = 0


def read_map(reply: object, key: str) -> dict[str, Any]:
    """An answer that is a map with actions.

    Raises:
        ReplyError: it is none.
    """
    if not isinstance(reply, dict):
        raise ReplyError(f"answered {brief(reply)}; a map with {key!r} was expected.")
    if key not in reply:
        raise ReplyError(f"answered without {key!r}, with {brief(sorted(map(str, reply)))}; name its key: actions_key.")
    return reply


def read_horizon(reply: dict[str, Any]) -> int | None:
    """The execution horizon that a policy chose with its chunk; None if it chose none.

    Raises:
        ReplyError: it is no whole number of at least 1.
    """
    horizon = reply.get("horizon")
    if horizon is not None and (type(horizon) is not int or horizon < 1):
        raise ReplyError(f"answered with horizon={brief(horizon)}; a whole number of at least 1 was expected.")
    return horizon


def read_chunk(actions: object, check: Checked | None) -> Chunk:
    """Actions as a chunk.

    Args:
        actions: what stood in the answer: an array, or maps and lists of arrays.
        check: of the space of chunks; None if it is not known.

    Raises:
        ReplyError: they are no rows of finite numbers, or not in the space.
    """
    if check is not None:
        try:
            return check(actions)
        except ActionError as error:
            raise ReplyError(f"answered a chunk that cannot be executed: {error}") from error
    if isinstance(actions, dict):
        return {name: read_chunk(part, None) for name, part in actions.items()}
    if isinstance(actions, list):
        return tuple(read_chunk(part, None) for part in actions)
    return _finite(actions, 1)


def read_rows(actions: object, check: Checked | None) -> np.ndarray:
    """Some rows of a chunk, none perhaps, as an array.

    Raises:
        ReplyError: they are no rows of finite numbers, or not as wide as those of the space.
    """
    rows, space = _finite(actions, 0), check and check.space
    if space is not None and space.shape is not None and rows.shape[1:] != space.shape[1:]:
        raise ReplyError(f"sent rows of shape {rows.shape[1:]}; {space.shape[1:]} was expected, as in {brief(space)}.")
    return rows if space is None else rows.astype(space.dtype)


def _finite(actions: object, at_least: int) -> np.ndarray:
    if not isinstance(actions, np.ndarray) or actions.ndim < 1 or len(actions) < at_least:
        raise ReplyError(f"answered {brief(actions)}; actions in rows were expected, an array [H, ...].")
    if not np.isfinite(actions).all():
        raise ReplyError(f"answered {brief(actions.tolist())}; finite actions were expected.")
    return actions
