"""Which engine plays a level: our own, or the reference that it was ported from."""

from __future__ import annotations

from chunkenv.kinetix.engine.level_simulator import LevelSimulator
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.utils.checks import one_of
from chunkenv.utils.extras import missing_extra

BACKENDS = ("numba", "jax")
"""Our engine, and the reference itself."""


def open_simulator(level: str, backend: str = "numba") -> LevelSimulator:
    """A level in one of the engines.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        backend: "numba", our own engine; "jax", the reference engine, kinetix-env.

    Raises:
        ArgumentError: an unknown level or backend.
        MissingExtraError: kinetix-env is not installed.

    >>> open_simulator("catapult").level
    'catapult'
    """
    if one_of("backend", backend, BACKENDS) == "numba":
        return Simulator(level)
    try:
        from chunkenv.kinetix.backends.jax_simulator import JaxSimulator
    except ModuleNotFoundError as error:
        what = f'backend="jax" needs kinetix-env, best in an environment of its own, but {error.name} is'
        raise missing_extra(what, "kinetix-jax") from error
    return JaxSimulator(level)
