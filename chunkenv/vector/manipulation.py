"""What `gymnasium.make_vec` makes of the manipulation ids."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import VectorEnv

from chunkenv.manipulation.vector_env import ManipulationVectorEnv
from chunkenv.vector.making import made


def make_manipulation(num_envs: int = 1, **arguments: Any) -> VectorEnv[Any, Any, Any]:
    """N manipulation environments: chunked, if an argument of `ChunkedExecution` is given, else one step is one tick.

    Args:
        num_envs: N.
        **arguments: those of `ManipulationVectorEnv`, and those of `ChunkedVectorExecution` under the same names.

    Raises:
        ArgumentError: an argument that neither has or that cannot be meant, or chunks without prediction_horizon.

    >>> make_manipulation(2, family="cube-single", task=2, prediction_horizon=8, latency=2)
    <ChunkedVectorExecution, ManipulationVectorEnv(num_envs=2)>
    """
    return made(ManipulationVectorEnv, num_envs, arguments)
