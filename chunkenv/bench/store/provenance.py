"""By what rows were made: the study's own words, versions of code and libraries, the kind of machine, the time."""

from __future__ import annotations

import ast
import datetime
import os
import platform

from chunkenv.bench.store.fingerprint import code, sources_of
from chunkenv.bench.study import Study
from chunkenv.utils.extras import version

METHOD = "code compared by"
"""Before, fingerprints compared text in another layout of the package, and noted no method."""
LIBRARIES = ("gymnasium", "numpy", "numba", "jax", "jaxlib", "flax")


def versions() -> dict[str, str]:
    """Versions of everything that rows depend on; a library that is not installed is left out.

    >>> versions()["chunkenv"] == version("chunkenv")
    True
    """
    found = {"chunkenv": version("chunkenv"), "code": code(), METHOD: "syntax", "python": platform.python_version()}
    found |= {name: version(name) for name in LIBRARIES}
    return {name: value for name, value in found.items() if value}


def about(study: Study) -> str:
    """What a study says of itself: the docstring of its file; empty if there is none."""
    texts = [ast.get_docstring(ast.parse(source.read_bytes())) for source in sources_of(study)]
    return next(filter(None, texts), "")


def machine() -> str:
    """The kind of machine, without its name: system, architecture, cores."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def now() -> str:
    """The time, in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
