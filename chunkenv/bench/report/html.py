"""A report as one HTML file that needs nothing else: no network, no other file, no library."""

from __future__ import annotations

import base64
from html import escape

from chunkenv.bench.report.content import Content, Picture
from chunkenv.bench.report.tables import PlainTable, numeric

STYLE = """
:root { --ink: #222; --faint: #666; --line: #e2e2e2; --ground: #fff; --head: #f6f6f4; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 75rem;
       margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 1rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .3rem; }
p.note { color: var(--faint); margin: 0 0 .6rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--head); padding: .7rem 1rem; border-radius: 4px; overflow-x: auto; margin: .6rem 0; }
div.table { overflow: auto; max-height: 34rem; border: 1px solid var(--line); border-radius: 4px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; width: 100%; }
th { position: sticky; top: 0; background: var(--head); text-align: left; padding: 0; white-space: nowrap; }
th button { font: inherit; font-weight: 600; border: 0; background: none; padding: .4rem .8rem; cursor: pointer;
            width: 100%; text-align: inherit; color: inherit; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
td { padding: .25rem .8rem; border-top: 1px solid var(--line); white-space: nowrap; } .number { text-align: right; }
img { max-width: 100%; display: block; margin: .8rem 0; }
figure { margin: 0; } figcaption { color: var(--faint); font-size: .85rem; }
"""
SORT = """
for (const head of document.querySelectorAll("th")) head.onclick = () => {
  const body = head.closest("table").tBodies[0], down = head.ariaSort === "ascending";
  const key = row => row.cells[head.cellIndex].dataset.value, number = head.classList.contains("number");
  const order = (a, b) => number ? key(a) - key(b) : key(a).localeCompare(key(b));
  for (const other of head.parentNode.cells) other.ariaSort = "none";
  head.ariaSort = down ? "descending" : "ascending";
  body.append(...[...body.rows].sort((a, b) => down ? order(b, a) : order(a, b)));
};
"""
"""A click on a heading sorts by it, another one the other way round."""


def to_html(content: Content) -> str:
    """The page.

    >>> page = to_html(Content("a < b", [], [], [], [], [], []))
    >>> page.startswith("<!doctype html>"), "a &lt; b" in page
    (True, True)
    """
    body = [
        f"<h1>{escape(content.title)}</h1>",
        _facts(content.facts),
        *(f"<pre>$ {escape(command)}</pre>" for command in content.commands),
        _gallery("Plots", content.plots),
        *map(_table, content.tables),
        _gallery("Videos", content.videos),
        "<h2>How the rows were made</h2>",
        _facts(content.runs),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(content.title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body>\n'
        + "\n".join(filter(None, body))
        + f"\n<script>{SORT}</script></body></html>\n"
    )


def _facts(facts: list[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts) + "</dl>"


def _gallery(title: str, pictures: list[Picture]) -> str:
    if not pictures:
        return ""
    return f"<h2>{title}</h2>" + "".join(map(_picture, pictures))


def _picture(picture: Picture) -> str:
    data, name = base64.b64encode(picture.content).decode(), escape(picture.name)
    image = f'<img src="data:{picture.kind};base64,{data}" alt="{name}">'
    return f"<figure>{image}<figcaption>{name}</figcaption></figure>"


def _sortable(value: object) -> str:
    """A value as JavaScript reads it."""
    return escape(str(value)).replace("inf", "Infinity") if isinstance(value, float) else escape(str(value))


def _table(table: PlainTable) -> str:
    """The table; numbers stand right and are sorted by their value, intervals by their estimate."""
    kinds = [' class="number"' if numeric(table, index) else "" for index in range(len(table.header))]
    head = "".join(
        f"<th{kind}><button>{escape(name)}</button></th>" for kind, name in zip(kinds, table.header, strict=True)
    )
    rows = [
        "<tr>"
        + "".join(
            f'<td{kind} data-value="{_sortable(entry.value)}">{escape(entry.text)}</td>'
            for kind, entry in zip(kinds, row, strict=True)
        )
        + "</tr>"
        for row in table.rows
    ]
    markup = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<h2>{escape(table.title)}</h2><p class="note">{escape(table.note)}</p><div class="table">{markup}</div>'
