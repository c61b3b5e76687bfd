"""The `chunkenv` command: one file a command, in the folders that the user types."""

from chunkenv.cli.main import main

__all__ = ["main"]
