"""`chunkenv trace`, one file a command: record latencies on the real clock, look at them, find the model that fits."""

import typer

from chunkenv.cli.trace import fit, record, show

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Record how long inferences take, look at it, find the model that fits.",
)
app.command("record")(record.record)
app.command("show")(show.show)
app.command("fit")(fit.fit)
