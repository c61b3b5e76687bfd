"""Folders to begin in: a student's, and that of an assignment of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import jupytext

from chunkenv.course.assignment import BLANK, Assignment
from chunkenv.errors import ArgumentError
from chunkenv.utils.files import atomic_file, explain_write_errors


def begin_assignment(assignment: Assignment, folder: Path) -> None:
    """Make a folder with `text.md`, `solution.py` and `notebook.ipynb`.

    Args:
        assignment: which.
        folder: one that is not there yet, or empty.

    Raises:
        ArgumentError: something is in it, which is not written over.
        UnwritableError: it cannot be written.
    """
    _expect_new(folder)
    with explain_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(assignment.text, folder / "text.md")
        shutil.copyfile(assignment.template, folder / "solution.py")
    with atomic_file(folder / "notebook.ipynb") as file:
        file.write(make_notebook(assignment).encode())


def begin_blank(folder: Path) -> None:
    """Make a folder with a small assignment of one's own: template, text, tests, and `reference/solution.py`.

    Args:
        folder: one that is not there yet, or empty.

    Raises:
        ArgumentError: something is in it, which is not written over.
        UnwritableError: it cannot be written.
    """
    _expect_new(folder)
    with explain_write_errors(folder):
        shutil.copytree(BLANK, folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)


def _expect_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(f"{folder} is there and not empty; give the name of a new folder.")


def make_notebook(assignment: Assignment) -> str:
    """The text and the template of an assignment as a notebook.

    Args:
        assignment: its template may mark cells with `# %%`.

    Returns:
        The JSON of the notebook, the same in every run.
    """
    notebook = jupytext.reads(assignment.template.read_text(encoding="utf-8"), fmt="py:percent")
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{place}"
    return jupytext.writes(notebook, fmt="ipynb")
