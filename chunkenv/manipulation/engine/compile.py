"""How manipulation's kernels are compiled, and what they are compiled from."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from chunkenv.utils import compile as compiling
from chunkenv.utils.compile import jit as jit

compiling.need_numba("Vectorised manipulation", "manipulation")

import numba  # noqa: E402 (only where it is there)

carray: Any = numba.carray  # pyright: ignore[reportPrivateImportUsage] (numba's documentation has it)
"""carray(pointer, shape): memory as an array, in compiled code."""

SOURCES = tuple(
    Path(__file__).with_name(name) for name in ("compile.py", "c_functions.py", "kinematics.py", "ticks.py")
)
"""The files that what is compiled depends on."""

entry = partial(compiling.entry, sources=SOURCES)
"""Compile a kernel that Python calls."""
