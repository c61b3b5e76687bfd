"""Tables on a console of any width: columns wrap at words, and where that is not enough, rows become lines."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

ENDLESS = 100_000
"""More characters than a line has."""


def print_table(console: Console, table: Table) -> None:
    """Print a table so that nothing is cut, however narrow the console is.

    Args:
        console: where.
        table: its widths are set here; a column with overflow="fold" may break the words of its heading.
    """
    spans = [_measure(console, column) for column in table.columns]
    whole = Measurement.get(console, console.options.update(max_width=ENDLESS), table)
    frame = whole.maximum - sum(span.maximum for span in spans)  # lines and padding
    spare = console.width - frame - sum(span.minimum for span in spans)
    if spare < 0:
        _print_rows(console, table)
        return
    wanted = sum(span.span for span in spans)
    share = min(1.0, spare / wanted) if wanted else 0.0
    for column, span in zip(table.columns, spans, strict=True):
        column.width = span.minimum + int(share * span.span)
    console.print(table)


def _measure(console: Console, column: Column) -> Measurement:
    """The widths of the longest word that must not break, and of the longest line."""
    options = console.options.update(max_width=ENDLESS)
    heading, *cells = (Measurement.get(console, options, cell) for cell in (column.header, *column.cells))
    firm = cells if column.overflow == "fold" else [heading, *cells]
    return Measurement(max((size.minimum for size in firm), default=1), max(size.maximum for size in (heading, *cells)))


def _print_rows(console: Console, table: Table) -> None:
    """A line for every cell, below its column's heading."""
    if table.title:
        console.print(table.title)
    columns = [[_text(console, cell) for cell in column.cells] for column in table.columns]
    headings = [_text(console, column.header) for column in table.columns]
    for row in zip(*columns, strict=True):
        for heading, cell in zip(headings, row, strict=True):
            if cell.plain:
                console.print(Text("  ").join([heading, cell]) if heading.plain else cell, overflow="fold")
        console.print()
    if table.caption:
        console.print(table.caption)


def _text(console: Console, cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else console.render_str(str(cell))
