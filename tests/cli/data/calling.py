"""Calls `chunkenv data` in this process."""

from typer.testing import CliRunner

from chunkenv.cli.data import app


def invoke(*words):
    return CliRunner(env={"COLUMNS": "120", "TERM": "dumb"}).invoke(app, [str(word) for word in words])
