"""How kernels are compiled: numba, arithmetic as written (no fastmath), cached between runs where possible."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from chunkenv.errors import MissingExtraError

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}
_INSIDE: dict[str, Any] = {
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}  # a third of the time that compiling takes


def need_numba(what: str, extra: str) -> None:
    """Say which extra installs numba where it is missing.

    Raises:
        MissingExtraError: numba cannot be imported.
    """
    try:
        import numba  # noqa: F401
    except ImportError as error:
        sentence = f'{what} needs numba, which is not installed: run `pip install "chunkenv[{extra}]"`.'
        raise MissingExtraError(sentence) from error


def jit(function: Callable) -> Callable:
    """Compile a helper that only kernels call."""
    import numba

    return numba.njit(**_OPTIONS, **_INSIDE)(function)


def entry(function: Callable, sources: tuple[Path, ...]) -> Callable:
    """Compile a kernel that Python calls, cached on disk; uncached where no folder is writable.

    numba's cache looks at the file of the kernel only, and finds it by its name: with the sources in the name, a change
    in any of them is noticed.
    """
    import numba

    function.__qualname__ = f"{function.__qualname__}_{fingerprint(sources):08x}"
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # numba's "no locator available": neither this folder nor the user's cache can be written
        return numba.njit(**_OPTIONS)(function)


@cache
def fingerprint(sources: tuple[Path, ...]) -> int:
    """A number that changes with the sources; 0 where they are not files (in a zip, where nothing changes)."""
    try:
        return zlib.crc32(b"".join(path.read_bytes() for path in (Path(__file__), *sources)))
    except OSError:
        return 0
