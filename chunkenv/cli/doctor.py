"""`chunkenv doctor`."""

from __future__ import annotations

import platform
import sys

from rich.console import Console
from rich.table import Table

from chunkenv.cli.console_tables import print_table
from chunkenv.utils.extras import EXTRAS, install_command, installed_versions, version

TWINS = ("pygame", "pygame-ce")
"""Two distributions that write the same folder: which files are there depends on which came last."""


def doctor() -> None:
    """Show what is installed, and what each missing extra would give."""
    console = Console(highlight=False)
    console.print(f"chunkenv {version('chunkenv')} on Python {platform.python_version()}, {sys.platform}")
    console.print(f"gymnasium {version('gymnasium')}, numpy {version('numpy')}")
    table = Table("extra", "gives", "installed", show_lines=True)
    missing = []
    for extra in EXTRAS:
        found = installed_versions(extra)
        parts = "\n".join(f"{name} {number or 'missing'}" for name, number in found.items())
        missing += [] if all(found.values()) else [extra.name]
        table.add_row(extra.name, extra.gives, parts)
    print_table(console, table)
    if missing:
        console.print("To install what is missing:")
    for name in missing:
        console.print(f"  {install_command(name)}", markup=False, soft_wrap=True)
    if all(map(version, TWINS)):
        console.print(
            "pygame and pygame-ce are both installed, and overwrite each other's files. Keep the latter:\n"
            "  pip uninstall -y pygame pygame-ce && pip install pygame-ce",
            soft_wrap=True,
        )
