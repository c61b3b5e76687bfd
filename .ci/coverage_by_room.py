"""Print how much of each room the tests ran, and fail where it is too little.

    python .ci/coverage_by_room.py

It reads what `pytest --cov` wrote. A share counts statements and branches alike. Left out is what Python never runs:
functions that numba compiles, or runs only while it compiles (`exclude_also` in pyproject.toml).
"""

from __future__ import annotations

import collections
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import coverage

WHOLE = "chunkenv"
LEAST = {WHOLE: 90.0, "clock": 97.0, "latency": 97.0, "vector": 97.0, "wrappers": 97.0}
"""The least share in percent, of the whole package and of rooms that must not be wrong anywhere."""


def read_report() -> dict[str, Any]:
    """Coverage's own report, by file."""
    data = coverage.Coverage()
    data.load()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        data.json_report(outfile=str(path))
        return json.loads(path.read_text())["files"]


def shares(files: dict[str, Any]) -> dict[str, float]:
    """Statements and branches that ran, in percent: of each room, and of the whole package."""
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    for path, report in files.items():
        summary = report["summary"]
        for name in (Path(path).parts[1].removesuffix(".py"), WHOLE):
            counts[name, "ran"] += summary["covered_lines"] + summary["covered_branches"]
            counts[name, "all"] += summary["num_statements"] + summary["num_branches"]
    names = sorted({name for name, _ in counts})
    return {name: 100 * counts[name, "ran"] / counts[name, "all"] for name in names if counts[name, "all"]}


def lines(found: dict[str, float]) -> list[str]:
    """A line for each room, with the least share where there is one."""
    width = max(map(len, found))
    return [
        f"{name:<{width}}  {share:5.1f} %" + (f"  (at least {LEAST[name]:g})" if name in LEAST else "")
        for name, share in found.items()
    ]


def too_low(found: dict[str, float]) -> list[str]:
    """The rooms with too little, and those that are missing."""
    return [name for name, least in LEAST.items() if found.get(name, 0.0) < least]


if __name__ == "__main__":
    found = shares(read_report())
    print("\n".join(lines(found)))
    if low := too_low(found):
        sys.exit(f"Too little is tested of {', '.join(low)}: `coverage report -m` names the lines.")
