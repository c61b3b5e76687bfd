"""Gradescope's zip: a script that installs this package, and one that grades with it.

Source of the format: https://gradescope-autograders.readthedocs.io/en/latest/specs/.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from chunkenv.course.assignment import Assignment
from chunkenv.utils.files import atomic_file

PYTHON = "3.12"
SETUP = """#!/usr/bin/env bash
# Runs once, as root, when the image is built: the image's own Python is too old.
set -euo pipefail
apt-get update -qq && apt-get install -y -qq python3-pip
python3 -m pip install --quiet uv
# Where the user that students' code runs as can read it, which root's home is not.
export UV_PYTHON_INSTALL_DIR=/opt/python
uv venv --python {python} /opt/grader
package="$(ls /autograder/source/*.whl 2>/dev/null || echo chunkenv)"
uv pip install --python /opt/grader/bin/python "$package[agents,course,kinetix]"
# Kernels are compiled now, not while students wait.
/opt/grader/bin/python -c "{warm}"
"""
RUN = """#!/usr/bin/env bash
# Runs for every submission, as root; exit code 2 is a mistake of the instructor's.
# Students' code runs as another user, who sees neither the results nor what others wrote.
chmod 700 /autograder
exec /opt/grader/bin/chunkenv course grade {number} /autograder/submission --results /autograder/results/results.json
"""
WARM = (
    "import gymnasium, chunkenv; env = gymnasium.make('chunkenv/kinetix-catapult-v0'); "
    "env.reset(seed=0); env.step(env.action_space.sample()); "
    "from chunkenv.bench.studies import play_method; "
    "play_method('mjc_half_cheetah', 'naive', [0], 0, 'smooth', execution_horizon=1, latency=0)"
)
"""One environment, and many at a time, as assignment 4 plays them: their kernels are different ones."""
SOURCE, OWN = "/autograder/source", "assignment"
"""Where Gradescope unpacks the zip, and in it the folder of an assignment of one's own."""
MADE = (2000, 1, 1, 0, 0, 0)
"""The time in the zip, so that the same package makes the same bytes."""


def pack_assignment(assignment: Assignment, path: Path, wheel: Path | None = None) -> None:
    """Write the zip of an assignment.

    Args:
        assignment: which; of one of one's own, the files in its folder are packed, and not the folders in it.
        path: the zip.
        wheel: of this package, put into the zip; None installs the released one.

    Raises:
        UnwritableError: it cannot be written.
    """
    files = {
        "setup.sh": SETUP.format(python=PYTHON, warm=WARM).encode(),
        "run_autograder": RUN.format(number=f"{SOURCE}/{OWN}" if assignment.is_own else assignment.number).encode(),
    }
    if assignment.is_own:
        files |= {f"{OWN}/{path.name}": path.read_bytes() for path in _files(assignment.folder)}
    if wheel is not None:
        files[wheel.name] = wheel.read_bytes()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, MADE)
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    with atomic_file(path) as file:
        file.write(content.getvalue())


def _files(folder: Path) -> list[Path]:
    """Without the reference, which is in a folder of its own."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
