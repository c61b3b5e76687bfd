"""A report as a page of HTML and as Markdown: what it says, and how each is written."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.bench.report.page.content import Content, make_content
    from chunkenv.bench.report.page.html import to_html
    from chunkenv.bench.report.page.leaderboard_content import make_leaderboard
    from chunkenv.bench.report.page.markdown import to_markdown

__all__ = [
    "Content",
    "make_content",
    "make_leaderboard",
    "to_html",
    "to_markdown",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "content": "Content make_content",
        "html": "to_html",
        "leaderboard_content": "make_leaderboard",
        "markdown": "to_markdown",
    },
)
