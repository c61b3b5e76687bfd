"""The assignments that are there, `chunkenv/course/assignments/<N>_<name>/`, and folders like them: of one's own."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path

from chunkenv.course.grading.exercise import Test
from chunkenv.errors import ArgumentError, suggest

ASSIGNMENTS = Path(__file__).with_name("assignments")
BLANK = ASSIGNMENTS / "blank"
"""A small assignment, to begin one of one's own with."""
FILES = ("template.py", "text.md", "tests.py")
"""That an assignment has."""
FULL = 100.0
"""Points of all tests of an assignment together."""


@dataclass(frozen=True)
class Assignment:
    """One assignment.

    Args:
        number: as the user types it, such as "1"; of one of one's own the folder.
        folder: with `template.py`, `text.md` and `tests.py`.
    """

    number: str
    folder: Path

    @property
    def is_own(self) -> bool:
        """Whether it is no assignment of this package."""
        return self.folder.parent != ASSIGNMENTS

    @property
    def title(self) -> str:
        """The first line of its text."""
        return self.text.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")

    @property
    def template(self) -> Path:
        """The file that students fill in."""
        return self.folder / "template.py"

    @property
    def text(self) -> Path:
        """What students read."""
        return self.folder / "text.md"

    def load_tests(self) -> tuple[Test, ...]:
        """All tests, visible and hidden.

        Raises:
            ArgumentError: `tests.py` has no tuple `TESTS` of tests with different numbers and 100 points together. What
                it raises itself is passed on.
        """
        path = self.folder / "tests.py"
        tests = getattr(_import(path), "TESTS", None)
        if not isinstance(tests, tuple) or not all(isinstance(each, Test) for each in tests):
            raise ArgumentError(f"{path} has no TESTS; write a tuple of chunkenv.course.grading.Test.")
        if len({each.number for each in tests}) < len(tests):
            raise ArgumentError(f"{path} has two tests of the same number; number each differently.")
        if not math.isclose(total := sum(each.points for each in tests), FULL):
            raise ArgumentError(f"the tests of {path} have {total:g} points together; make it {FULL:g}.")
        return tests


def find_assignment(number: str) -> Assignment:
    """The assignment of a number, or in a folder.

    Args:
        number: as "1", or the path of a folder with the files of an assignment.

    Raises:
        ArgumentError: there is none.
    """
    found = {path.name.partition("_")[0]: path for path in sorted(ASSIGNMENTS.glob("[0-9]*_*"))}
    if number in found:
        return Assignment(number, found[number])
    if not Path(number).is_dir():
        otherwise = f"choose one of {', '.join(map(repr, found))}, or give the folder of one of your own."
        raise ArgumentError(f"assignment {number!r} is unknown; {suggest(number, found, otherwise)}")
    return _own_assignment(Path(number))


def _own_assignment(folder: Path) -> Assignment:
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ArgumentError(
            f"{folder} has no {missing[0]}, so it is no assignment; `chunkenv course new --blank FOLDER` makes one."
        )
    return Assignment(str(folder), folder)


def _import(path: Path) -> object:
    """A file as a module of its own: every assignment has one of this name."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ArgumentError(f"{path} is not there; write it, with a tuple TESTS.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
