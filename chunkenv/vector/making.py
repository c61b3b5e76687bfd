"""Native vector environments by one call: as they are or, if it is asked for, with chunks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from gymnasium.vector import VectorEnv

from chunkenv.errors import ArgumentError, suggest
from chunkenv.vector.execution import ChunkedVectorExecution


def made(kind: Callable[..., VectorEnv[Any, Any, Any]], num_envs: int, arguments: dict[str, Any]) -> Any:
    """N environments of a kind: chunked, if an argument of `ChunkedExecution` is given, else one step is one tick.

    Args:
        kind: the class of a vector environment that plays several ticks in one call.
        num_envs: N.
        arguments: those of the class, and those of `ChunkedVectorExecution` under the same names.

    Raises:
        ArgumentError: an argument that neither has or that cannot be meant, or chunks without prediction_horizon.
    """
    of_chunks, of_env = _names(ChunkedVectorExecution), _names(kind)
    for name in arguments.keys() - of_chunks - of_env:
        raise ArgumentError(f"{name}={arguments[name]!r} is no argument here; {suggest(name, of_env | of_chunks)}")
    chunks = {name: value for name, value in arguments.items() if name in of_chunks}
    if chunks and "prediction_horizon" not in chunks:
        raise ArgumentError(f"{', '.join(chunks)}: these are about chunks; give prediction_horizon, too.")
    env = kind(num_envs=num_envs, **{name: arguments[name] for name in arguments.keys() - of_chunks})
    return ChunkedVectorExecution(env, **chunks) if chunks else env


def _names(kind: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(kind).parameters) - {"vector_env", "num_envs"}
