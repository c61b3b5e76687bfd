"""The `chunkenv` command; what it can do is in `chunkenv.cli.app`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command, or say in a sentence what it needs."""
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ImportError as error:
        sys.exit(f'the command needs {error.name}, which is not installed: run `pip install "chunkenv[bench]"`.')
    from chunkenv.cli.app import app

    app()
