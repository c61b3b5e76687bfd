"""A report as Markdown; its pictures are files beside it."""

from __future__ import annotations

from chunkenv.bench.report.page.content import Content
from chunkenv.bench.report.page.picture import Picture
from chunkenv.bench.report.tables import PlainTable, numeric


def to_markdown(content: Content) -> str:
    """The text.

    >>> to_markdown(Content("study", [], [("seed", "0")], [], [], [], [], [])).splitlines()
    ['# study', '', '- seed: 0', '', '## How the rows were made']
    """
    parts = [
        f"# {content.title}",
        *content.about,
        _list(content.facts),
        "\n".join(f"    $ {command}" for command in content.commands),
        *map(_picture, content.plots),
        *map(_table, content.tables),
        *(f"## {title}\n\n" + "\n\n".join(map(_picture, own)) for title, own in content.galleries),
        *map(_picture, content.videos),
        "## How the rows were made",
        _list(content.runs),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _list(facts: list[tuple[str, str]]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts)


def _picture(picture: Picture) -> str:
    return f"![{_alternative(picture.text)}]({picture.name.replace(' ', '%20')})"


def _alternative(text: str) -> str:
    """Text that does not end its brackets."""
    return text.replace("[", "(").replace("]", ")").replace("\n", " ")


def _table(table: PlainTable) -> str:
    marks = ["---:" if numeric(table, index) else "---" for index in range(len(table.header))]
    lines = [table.header, marks, *([entry.text for entry in row] for row in table.rows)]
    return f"## {table.title}\n\n{table.note}\n\n" + "\n".join(
        "| " + " | ".join(map(_cell, line)) + " |" for line in lines
    )


def _cell(text: str) -> str:
    """Text that does not end its cell."""
    return text.replace("|", "\\|").replace("\n", " ")
