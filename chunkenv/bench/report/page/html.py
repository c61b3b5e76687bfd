"""A report as one HTML file that needs nothing else: no network, no other file, no library."""

from __future__ import annotations

import base64
from html import escape

from chunkenv.bench.report.page.content import Content
from chunkenv.bench.report.page.page_style import SCRIPT, STYLE
from chunkenv.bench.report.page.picture import Picture
from chunkenv.bench.report.tables import Entry, PlainTable, numeric


def to_html(content: Content) -> str:
    """The page.

    >>> page = to_html(Content("a < b", [], [], [], [], [], [], []))
    >>> page.startswith("<!doctype html>"), "a &lt; b" in page
    (True, True)
    """
    body = [
        f"<h1>{escape(content.title)}</h1>",
        *(f"<p>{escape(paragraph)}</p>" for paragraph in content.about),
        _facts(content.facts),
        *(f"<pre>$ {escape(command)}</pre>" for command in content.commands),
        _gallery("Plots", content.plots),
        *map(_table, content.tables),
        *(_gallery(title, pictures) for title, pictures in content.galleries),
        _gallery("Videos", content.videos),
        "<h2>How the rows were made</h2>",
        _facts(content.runs),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(content.title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><style>{STYLE}</style></head>\n<body>\n<main>\n'
        + "\n".join(filter(None, body))
        + f"\n</main>\n<script>{SCRIPT}</script></body></html>\n"
    )


def _facts(facts: list[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts) + "</dl>"


def _gallery(title: str, pictures: list[Picture]) -> str:
    if not pictures:
        return ""
    return f"<h2>{escape(title)}</h2>" + "".join(map(_picture, pictures))


def _picture(picture: Picture) -> str:
    data, name = base64.b64encode(picture.content).decode(), escape(picture.name)
    image = f'<img src="data:{picture.kind};base64,{data}" alt="{escape(picture.text)}">'
    return f"<figure>{image}<figcaption>{name}</figcaption></figure>"


def _sortable(value: object) -> str:
    """A value as JavaScript reads it."""
    return escape(str(value)).replace("inf", "Infinity") if isinstance(value, float) else escape(str(value))


def _table(table: PlainTable) -> str:
    """The table, its score first; numbers stand right and are sorted by their value, intervals by their estimate."""
    order = [table.score, *(index for index in range(len(table.header)) if index != table.score)]
    kinds = {index: ' class="number"' if numeric(table, index) else "" for index in order}
    head = "".join(_heading(table.header[index], kinds[index]) for index in order)
    rows = ["<tr>" + "".join(_cell(row[index], kinds[index]) for index in order) + "</tr>" for row in table.rows]
    title = escape(table.title)
    return (
        f'<h2>{title}</h2><p class="note">{escape(table.note)} '
        '<span class="sorts">A click on a heading sorts.</span></p>'
        f'<div class="scroll" role="region" tabindex="0" aria-label="{title}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        '<p class="hint">The table is wider than the page: scroll it sideways for more columns.</p>'
    )


def _heading(name: str, kind: str) -> str:
    text = escape(name)
    return f'<th scope="col"{kind} data-name="{text}"><button type="button">{text}</button></th>'


def _cell(entry: Entry, kind: str) -> str:
    return f'<td{kind} data-value="{_sortable(entry.value)}">{escape(entry.text)}</td>'
