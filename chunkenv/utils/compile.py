"""How kernels are compiled: numba, arithmetic as written (no fastmath), cached between runs where possible."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from chunkenv.errors import MissingExtraError
from chunkenv.utils.extras import missing_extra

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}
_INSIDE: dict[str, Any] = {
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}  # a third of the time that compiling takes


def missing_numba(what: str = "This", extra: str = "kinetix") -> MissingExtraError:
    """The error where numba cannot be imported: what needs it, and the extra that installs it."""
    return missing_extra(f"{what} needs numba, which is", extra)


def jit(function: Callable) -> Callable:
    """Compile a helper that only kernels call."""
    return _njit(**_OPTIONS, **_INSIDE)(function)


def entry(function: Callable) -> Callable:
    """Compile a kernel that Python calls, cached on disk; uncached where no folder is writable.

    numba's cache looks at the file of the kernel only, and finds it by its name: with all sources of its folder in the
    name, a change in any of them is noticed. A kernel is made of nothing else.
    """
    sources = sources_beside(function.__code__.co_filename)
    function.__qualname__ = f"{function.__qualname__}_{fingerprint(sources):08x}"
    try:
        return _njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # numba's "no locator available": neither this folder nor the user's cache can be written
        return _njit(**_OPTIONS)(function)


@cache
def sources_beside(file: str) -> tuple[Path, ...]:
    """The Python files in the folder of a file."""
    return tuple(sorted(Path(file).parent.glob("*.py")))


@cache
def fingerprint(sources: tuple[Path, ...]) -> int:
    """A number that changes with the sources; 0 where they are not files (in a zip, where nothing changes)."""
    try:
        return zlib.crc32(b"".join(path.read_bytes() for path in (Path(__file__), *sources)))
    except OSError:
        return 0


def _njit(**options: Any) -> Callable[[Callable], Callable]:
    try:
        import numba
    except ImportError as error:
        raise missing_numba() from error
    return numba.njit(**options)
