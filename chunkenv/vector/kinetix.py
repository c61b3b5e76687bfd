"""What `gymnasium.make_vec` makes of the Kinetix ids."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import VectorEnv

from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.vector.making import made


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
    return made(KinetixVectorEnv, num_envs, arguments)
