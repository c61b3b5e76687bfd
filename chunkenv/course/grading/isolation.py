"""As whom a student's process runs, and what it sees.

It stops accidents and casual cheating; with the same user id it is no boundary against an attacker.

On Linux, as root, the process gets a user id that no other process has (isolation 'user'), if such a user can read this
package; else it keeps the grader's (isolation 'process').
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from chunkenv.course.grading.process_tree import LINUX

USERS = range(50_000, 60_000)
"""User ids that are tried: above those of people and of services."""
PYTHON = (sys.executable, "-s", "-P", "-B")
"""As `-I`, but for the variables PYTHON...: they are all set here, and one of them makes runs alike."""
PROBE = "import sys; sys.path.append(sys.argv[1]); import chunkenv.course.grading.framing"
PROBE_SECONDS = 60
PACKAGE_PARENT = Path(__file__).parents[3]
KEPT = ("PATH", "SYSTEMROOT", "LANG")
"""Variables that are handed on; nothing else of the grader's environment is."""


@dataclass(frozen=True)
class Isolation:
    """As whom students' processes run.

    Args:
        user: a user id of its own, or None for the grader's.
    """

    user: int | None = None

    @property
    def name(self) -> str:
        """'user' or 'process'."""
        return "process" if self.user is None else "user"

    def options(self, folder: Path) -> dict[str, Any]:
        """Arguments of `subprocess.Popen` for a process that works in a folder, which becomes its user's.

        Args:
            folder: an empty one.
        """
        common = {"cwd": folder, "env": _environment(folder)}
        if self.user is None:
            return common
        os.chown(folder, self.user, self.user)
        return common | {"user": self.user, "group": self.user, "extra_groups": []}


def find_isolation() -> Isolation:
    """The strongest isolation that works here."""
    if not LINUX or os.geteuid() != 0:
        return Isolation()
    taken = {each.info["uids"].real for each in psutil.process_iter(["uids"]) if each.info["uids"]}
    first = USERS.start + os.getpid() % len(USERS)
    free = Isolation(next(each for each in (first, *USERS) if each not in taken))
    return free if _can_read(free) else Isolation()


def _can_read(isolation: Isolation) -> bool:
    """Whether that user can start Python and import this package."""
    command = [*PYTHON, "-c", PROBE, str(PACKAGE_PARENT)]
    with tempfile.TemporaryDirectory() as folder:
        options = isolation.options(Path(folder))
        try:
            return subprocess.run(command, capture_output=True, timeout=PROBE_SECONDS, **options).returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False


def _environment(folder: Path) -> dict[str, str]:
    """Its home and its temporary files are its folder; the order of sets of texts is the same in every run."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    places = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(folder))
    return kept | threads | places | {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
