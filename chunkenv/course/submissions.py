"""A folder of submissions: all graded, with a table of scores."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from chunkenv.course.grading import Grader
from chunkenv.errors import ArgumentError
from chunkenv.utils.files import atomic_file

SCORES = "scores.csv"


def grade_all(grader: Grader, folder: Path, out: Path) -> dict[str, float]:
    """Grade every folder in a folder, one after the other.

    Args:
        grader: of the assignment.
        folder: with one folder for each student, whose names are kept.
        out: gets `NAME.json` for each, and `scores.csv`, which is complete after every submission.

    Returns:
        The scores by name.

    Raises:
        ArgumentError: there is no folder in it, or a test is wrong.
    """
    submissions = sorted(path for path in folder.iterdir() if path.is_dir())
    if not submissions:
        raise ArgumentError(f"{folder} has no folders in it; give one with a folder for each submission.")
    scores: dict[str, float] = {}
    for submission in submissions:
        results = grader.grade(submission)
        results.write(out / f"{submission.name}.json")
        scores[submission.name] = results.score
        _write_scores(scores, out / SCORES)
    return scores


def _write_scores(scores: dict[str, float], path: Path) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("name", "score"), *scores.items()])
    with atomic_file(path) as file:
        file.write(text.getvalue().encode())
