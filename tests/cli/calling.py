"""Calls the whole command, in this process or in one of its own."""

import os
import subprocess
import sys

from typer.testing import CliRunner

from chunkenv.cli.app import app


def invoke(*words):
    return CliRunner(env={"COLUMNS": "100", "TERM": "dumb"}).invoke(app, [str(word) for word in words])


def run(*words, **environment):
    command = [sys.executable, "-c", "from chunkenv.cli import main; main()", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=120)
