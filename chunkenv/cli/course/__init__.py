"""`chunkenv course`, one file a command: begin an assignment, check it, grade submissions, pack a grader."""

import typer

from chunkenv.cli.course import check, grade, leaderboard, new, pack

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="A course on inference latency: assignments, and their grader.",
)
app.command("new")(new.new)
app.command("check")(check.check)
app.command("grade")(grade.grade)
app.command("pack")(pack.pack)
app.command("leaderboard")(leaderboard.leaderboard)
