"""Tables in Markdown, as the scripts here print them."""

from __future__ import annotations

from collections.abc import Iterator


def heading(*names: str) -> Iterator[str]:
    """The first two lines of a table."""
    yield line(*names)
    yield line(*["---"] * len(names))


def line(*entries: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(entries)} |"
