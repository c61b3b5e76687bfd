"""How Kinetix's kernels are compiled, and what they are compiled from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from chunkenv import compiling
from chunkenv.compiling import jit as jit

compiling.need_numba("Kinetix", "kinetix")

SOURCES = tuple(
    Path(__file__).with_name(name) for name in ("compile.py", "layout.py", "lanes.py", "kernels.py", "batch.py")
)
"""The files that what is compiled depends on."""

entry = partial(compiling.entry, sources=SOURCES)
"""Compile a kernel that Python calls."""
