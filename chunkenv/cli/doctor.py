"""`chunkenv doctor`."""

from __future__ import annotations

import platform
import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from chunkenv.cli.console_tables import print_table
from chunkenv.utils.extras import EXTRAS, installed_versions, version


def doctor() -> None:
    """Show what is installed, and what each missing extra would give."""
    console = Console(highlight=False)
    console.print(f"chunkenv {version('chunkenv')} on Python {platform.python_version()}, {sys.platform}")
    console.print(f"gymnasium {version('gymnasium')}, numpy {version('numpy')}")
    table = Table("extra", "gives", "installed", Column("to install what is missing", overflow="fold"), show_lines=True)
    for extra in EXTRAS:
        found = installed_versions(extra)
        parts = "\n".join(f"{name} {number or 'missing'}" for name, number in found.items())
        command = "" if all(found.values()) else f'pip install "chunkenv[{extra.name}]"'
        table.add_row(extra.name, extra.gives, parts, escape(command))
    print_table(console, table)
