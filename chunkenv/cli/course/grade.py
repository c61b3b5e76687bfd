"""`chunkenv course grade`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.cli.course.course_arguments import Number, expect_folder


def grade(
    number: Number,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="With solution.py; with --each, one such folder for each student.")
    ],
    results: Annotated[
        Path, typer.Option(metavar="FILE", help="The JSON to write, for Gradescope; with --each a folder.")
    ] = Path("results.json"),
    each: Annotated[
        bool, typer.Option("--each", help="Grade all folders in FOLDER; scores.csv has a line each.")
    ] = False,
) -> None:
    """Run all tests of an assignment, hidden ones too, on one submission or on many.

    What a student did wrong is a score with a sentence, and exit code 0. As root on Linux, submissions run as another
    user. It stops accidents and casual cheating; with the same user id it is no boundary against an attacker.
    """
    expect_folder(folder)
    from chunkenv.course import find_assignment, grade_all
    from chunkenv.course.grading import Grader, find_isolation

    grader = Grader(find_assignment(number).load_tests(), find_isolation())
    console = Console(highlight=False)
    if each:
        scores = grade_all(grader, folder, results)
        count = f"{len(scores)} submission{'s' * (len(scores) != 1)}"
        console.print(f"{count}, isolation: {grader.isolation.name}; {results / 'scores.csv'}", soft_wrap=True)
    else:
        graded = grader.grade(folder, lambda so_far: so_far.write(results))
        console.print(f"{graded.score:g} of 100 points, isolation: {grader.isolation.name}; {results}", soft_wrap=True)
