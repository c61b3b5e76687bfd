"""`chunkenv bench`, one file a command: play studies, look at them, export their rows."""

from __future__ import annotations

import typer

from chunkenv.cli.bench import charged, delay, export, latency, leaderboard, merge, remote, report, rtc, run, status

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Play studies, look at them, export their rows."
)
for command in (
    delay.delay,
    rtc.rtc,
    latency.latency,
    charged.charged,
    remote.remote,
    run.run,
    status.status,
    report.report,
    leaderboard.leaderboard,
    merge.merge,
    export.export,
):
    app.command()(command)
