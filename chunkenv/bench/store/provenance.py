"""By what rows were made: versions, the code itself, the kind of machine."""

from __future__ import annotations

import datetime
import functools
import hashlib
import inspect
import os
import platform
from pathlib import Path
from typing import Any

from chunkenv.bench.study import Study
from chunkenv.utils.extras import version

PACKAGE = Path(__file__).parents[2]
SHOWN_ONLY = ("bench", "cli", "testing")
"""What runs studies and shows rows, but decides nothing in them (the settings of studies do)."""
KINDS = ("*.py", "*.toml", "*.json", "*.safetensors")
"""Code, levels, and the weights of policies with their manifest."""
LIBRARIES = ("gymnasium", "numpy", "numba", "jax", "jaxlib", "flax")


def versions() -> dict[str, str]:
    """Versions of everything that rows depend on; a library that is not installed is left out.

    >>> versions()["chunkenv"] == version("chunkenv")
    True
    """
    found = {"chunkenv": version("chunkenv"), "code": code(), "python": platform.python_version()}
    found |= {name: version(name) for name in LIBRARIES}
    return {name: value for name, value in found.items() if value}


@functools.cache
def code() -> str:
    """A short fingerprint of all that decides rows: whoever edits a policy must not find the old policy's rows."""
    return fingerprint(sorted(path for kind in KINDS for path in PACKAGE.rglob(kind) if _decides(path)))


def study_code(study: Study) -> dict[str, str]:
    """The fingerprint of the files, outside this package, in which a study's functions are written: `study`, if any."""
    functions = (study.make_env, study.make_policy, study.play)
    files = {_source(function) for function in functions if function is not None}
    mine = sorted(file for file in files if file is not None and not file.is_relative_to(PACKAGE))
    return {"study": fingerprint(mine)} if mine else {}


def fingerprint(files: list[Path]) -> str:
    """Twelve hexadecimal digits that change with any of the files; line endings do not count in text.

    >>> fingerprint([])
    'e3b0c44298fc'
    """
    digest = hashlib.sha256()
    for path in files:
        name = path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else Path(path.name)
        digest.update(name.as_posix().encode())
        content = path.read_bytes()
        digest.update(content if path.suffix == ".safetensors" else content.replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def machine() -> str:
    """The kind of machine, without its name: system, architecture, cores."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def now() -> str:
    """The time, in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _decides(path: Path) -> bool:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] not in SHOWN_ONLY or parts[:2] == ("bench", "studies")


def _source(function: Any) -> Path | None:
    """The file that a function is written in; None for one that was typed in."""
    try:
        file = inspect.getsourcefile(getattr(function, "func", function))
    except TypeError:
        file = None
    return Path(file).resolve() if file and Path(file).is_file() else None
