"""The shapes that timelines are made of, as SVG text, and their style."""

from __future__ import annotations

from html import escape  # that of xml.sax imports http and ssl

STYLE = """
.chunkenv-timeline { --paper: #ffffff; --ink: #1f2328; --faint: #656d76; --line: #d5dae0; --edge: #57606a;
  --behind: #c2410c; font: 11px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
@media (prefers-color-scheme: dark) { .chunkenv-timeline { --paper: #0d1117; --ink: #e6edf3; --faint: #97a1ab;
  --line: #30373f; --edge: #8b949e; --behind: #ff9a62; } }
.chunkenv-timeline text { fill: var(--ink); }
.chunkenv-timeline .paper { fill: var(--paper); }
.chunkenv-timeline .small { font-size: 9.5px; fill: var(--faint); }
.chunkenv-timeline .middle { text-anchor: middle; }
.chunkenv-timeline .on { fill: #141414; font-weight: 600; }
.chunkenv-timeline .note { font-size: 9px; }
.chunkenv-timeline .line { stroke: var(--line); fill: none; }
.chunkenv-timeline .request { fill: var(--edge); }
.chunkenv-timeline .acted { stroke: var(--edge); stroke-width: .8; }
.chunkenv-timeline .unused { fill: none; stroke: var(--line); }
.chunkenv-timeline .missing { fill: none; stroke: var(--faint); stroke-width: .8; }
.chunkenv-timeline .underrun { fill: #000000; stroke: var(--edge); stroke-width: .8; }
.chunkenv-timeline .cross { stroke: #ffffff; stroke-width: 1.2; fill: none; }
.chunkenv-timeline .behind { fill: var(--behind); font-size: 9.5px; }
"""


def element(name: str, kind: str = "", inside: str = "", **attributes: object) -> str:
    """An element of SVG, with a class and attributes; `_` in their names is `-`.

    >>> element("path", "line", d="M0 0h8")
    '<path class="line" d="M0 0h8"/>'
    """
    given = {"class": kind} | attributes if kind else attributes
    written = "".join(f' {key.replace("_", "-")}="{escape(number(value))}"' for key, value in given.items())
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def number(value: object) -> str:
    """A coordinate with at most two digits after the point, or a text as it is.

    >>> number(3.14159), number(2.0), number("none")
    ('3.14', '2', 'none')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def text(x: float, y: float, content: object, kind: str = "") -> str:
    """A text that begins at x, or stands about it if its class is 'middle'; y is its baseline."""
    return element("text", kind, escape(str(content), quote=False), x=x, y=y)


def tip(content: str) -> str:
    """What a reader sees who points at the element around, and what screen readers say."""
    return element("title", inside=escape(content, quote=False))


def box(x: float, y: float, width: float, height: float, kind: str, inside: str = "", **attributes: object) -> str:
    """A rectangle with round corners."""
    return element("rect", kind, inside, x=x, y=y, width=width, height=height, rx=2, **attributes)


def cross(x: float, y: float, width: float, height: float) -> str:
    """The cross in the box of an underrun."""
    size = min(width, height) / 2
    left, top = x + (width - size) / 2, y + (height - size) / 2
    return element(
        "path",
        "cross",
        d=f"M{number(left)} {number(top)}l{number(size)} {number(size)}m0 {number(-size)}"
        f"l{number(-size)} {number(size)}",
    )


def hatched(x: float, y: float, width: float, height: float) -> str:
    """The box of a row that is not there by its tick."""
    steps = range(4, int(width + height), 6)
    lines = (_stroke(x, y, width, height, step) for step in steps)
    return element(
        "path",
        "missing",
        d=f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z" + "".join(lines),
    )


def _stroke(x: float, y: float, width: float, height: float, step: float) -> str:
    """A slanted line through a box, `step` pixels from its left upper corner, along its upper and right sides."""
    right, down = min(step, width), max(step - width, 0.0)
    left, low = max(step - height, 0.0), min(step, height)
    return f"M{number(x + right)} {number(y + down)}L{number(x + left)} {number(y + low)}"
