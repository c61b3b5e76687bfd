"""What `gymnasium.make_vec` makes of the Kinetix ids."""

from __future__ import annotations

import inspect
from typing import Any

from gymnasium.vector import VectorEnv

from chunkenv.errors import ArgumentError, suggest
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.vector.chunked_execution import ChunkedVectorExecution


def make_kinetix(num_envs: int = 1, **arguments: Any) -> VectorEnv[Any, Any, Any]:
    """N Kinetix environments: chunked, if an argument of `ChunkedExecution` is given, else one step is one tick.

    Args:
        num_envs: N.
        **arguments: those of `KinetixVectorEnv`, and those of `ChunkedVectorExecution` under the same names.

    Raises:
        ArgumentError: an argument that neither has or that cannot be meant, or chunks without prediction_horizon.

    >>> make_kinetix(2, level="catapult", prediction_horizon=8, latency=2)
    <ChunkedVectorExecution, KinetixVectorEnv(num_envs=2)>
    """
    of_chunks, of_env = _names(ChunkedVectorExecution), _names(KinetixVectorEnv)
    for name in arguments.keys() - of_chunks - of_env:
        raise ArgumentError(f"{name}={arguments[name]!r} is no argument here; {suggest(name, of_env | of_chunks)}")
    chunks = {name: value for name, value in arguments.items() if name in of_chunks}
    if chunks and "prediction_horizon" not in chunks:
        raise ArgumentError(f"{', '.join(chunks)}: these are about chunks; give prediction_horizon, too.")
    env = KinetixVectorEnv(num_envs=num_envs, **{name: arguments[name] for name in arguments.keys() - of_chunks})
    return ChunkedVectorExecution(env, **chunks) if chunks else env


def _names(kind: type) -> set[str]:
    return set(inspect.signature(kind).parameters) - {"vector_env", "num_envs"}
