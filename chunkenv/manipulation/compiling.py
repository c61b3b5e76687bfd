"""How the kernels are compiled: numba, arithmetic as written (no fastmath), cached between runs where possible."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from chunkenv.errors import MissingExtraError

try:
    import numba
except ImportError as error:
    raise MissingExtraError(
        'Vectorised manipulation needs numba, which is not installed: run `pip install "chunkenv[manipulation]"`.'
    ) from error

SOURCES = ("compiling.py", "native.py", "kinematics.py", "kernels.py")
"""The files that what is compiled depends on."""

carray: Any = numba.carray  # pyright: ignore[reportPrivateImportUsage] (numba's documentation has it)
"""carray(pointer, shape): memory as an array, in compiled code."""

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}
_INSIDE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # they take time to compile


def jit(function: Callable) -> Callable:
    """Compile a helper that only kernels call."""
    return numba.njit(**_OPTIONS, **_INSIDE)(function)


def entry(function: Callable) -> Callable:
    """Compile a kernel that Python calls, cached on disk; uncached where no folder is writable.

    numba's cache looks at the file of the kernel only, and finds it by its name: with the sources in the name, a change
    in any of them is noticed.
    """
    function.__qualname__ = f"{function.__qualname__}_{_fingerprint():08x}"
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # numba's "no locator available": neither this folder nor the user's cache can be written
        return numba.njit(**_OPTIONS)(function)


@cache
def _fingerprint() -> int:
    """A number that changes with the sources; 0 where they are not files (in a zip, where nothing changes)."""
    folder = Path(__file__).parent
    try:
        return zlib.crc32(b"".join((folder / name).read_bytes() for name in SOURCES))
    except OSError:
        return 0
