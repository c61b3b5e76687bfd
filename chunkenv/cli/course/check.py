"""`chunkenv course check`."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from chunkenv.cli.course.course_arguments import Number, Submission, expect_folder


def check(number: Number, folder: Submission) -> None:
    """Run the public tests of an assignment on FOLDER/solution.py. Hidden tests decide the other points."""
    expect_folder(folder)
    from chunkenv.course import find_assignment
    from chunkenv.course.grading import Grader, Isolation

    tests = [test for test in find_assignment(number).load_tests() if test.visibility == "visible"]
    results = Grader(tests, Isolation()).grade(folder)
    console = Console(highlight=False)
    for each in results.judgements:
        console.print(f"{each.test.number} {each.test.name}: {each.score:g} of {each.test.points:g}", markup=False)
        console.print(f"[dim]{escape(each.output)}[/]", soft_wrap=True)
    most = sum(test.points for test in tests)
    console.print(f"{results.score:g} of {most:g} public points; hidden tests decide {100 - most:g} more.")
