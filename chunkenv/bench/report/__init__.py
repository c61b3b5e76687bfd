"""What is shown of a study: tables, plots, a page of HTML and Markdown."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.bench.report.write import write_report

__all__ = [
    "write_report",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "write": "write_report",
    },
)
