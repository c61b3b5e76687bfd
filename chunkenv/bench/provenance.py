"""By what rows were made: versions, the code itself, the kind of machine."""

from __future__ import annotations

import datetime
import functools
import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
SHOWN_ONLY = ("bench", "cli.py", "commands.py", "testing")
"""What runs studies and shows rows, but decides nothing in them (the settings of studies do)."""
LIBRARIES = ("gymnasium", "numpy", "numba")


def versions() -> dict[str, str]:
    """Versions of everything that rows depend on; a library that is not installed is left out.

    >>> versions()["chunkenv"] == importlib.metadata.version("chunkenv")
    True
    """
    found = {"chunkenv": version("chunkenv"), "code": code(), "python": platform.python_version()}
    found |= {name: version(name) for name in LIBRARIES}
    return {name: value for name, value in found.items() if value}


def version(distribution: str) -> str:
    """The version of an installed distribution, or an empty string."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


@functools.cache
def code() -> str:
    """A short fingerprint of the code that decides rows: whoever edits a policy must not find the old policy's rows."""
    digest = hashlib.sha256()
    for path in sorted(path for kind in ("*.py", "*.toml") for path in PACKAGE.rglob(kind) if _decides(path)):
        digest.update(path.relative_to(PACKAGE).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def machine() -> str:
    """The kind of machine, without its name: system, architecture, cores."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def now() -> str:
    """The time, in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _decides(path: Path) -> bool:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] not in SHOWN_ONLY or parts[:2] == ("bench", "settings")
