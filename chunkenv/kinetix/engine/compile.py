"""How Kinetix's kernels are compiled, and what they are compiled from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from chunkenv.utils import compile as compiling
from chunkenv.utils.compile import jit as jit

compiling.need_numba("Kinetix", "kinetix")

SOURCES = tuple(
    Path(__file__).with_name(name) for name in ("compile.py", "layout.py", "simd.py", "kernels.py", "batch_kernels.py")
)
"""The files that what is compiled depends on."""

entry = partial(compiling.entry, sources=SOURCES)
"""Compile a kernel that Python calls."""
