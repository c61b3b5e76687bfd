"""How the kernels are compiled: numba, arithmetic as written (no fastmath), cached between runs where possible."""

from __future__ import annotations

from collections.abc import Callable

from chunkenv.errors import MissingExtraError

try:
    import numba
except ImportError as error:
    raise MissingExtraError(
        'Kinetix needs numba, which is not installed: run `pip install "chunkenv[kinetix]"`.'
    ) from error

_OPTIONS = {"error_model": "numpy", "nogil": True}


def jit(function: Callable) -> Callable:
    """Compile a helper that only kernels call."""
    return numba.njit(**_OPTIONS)(function)


def entry(function: Callable) -> Callable:
    """Compile a kernel that Python calls, cached on disk; uncached where no folder is writable."""
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # numba's "no locator available": neither this folder nor the user's cache can be written
        return jit(function)
