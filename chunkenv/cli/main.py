"""The `chunkenv` command; what it can do is in `chunkenv.cli.app`."""

from __future__ import annotations

import sys

from chunkenv.utils.extras import missing_extra


def main() -> None:
    """Run the command, or say in a sentence what it needs."""
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ImportError as error:
        sys.exit(str(missing_extra(f"the command needs {error.name}, which is", "bench")))
    from chunkenv.cli.app import app

    app()
