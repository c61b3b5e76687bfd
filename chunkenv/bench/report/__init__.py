"""What is shown of a study: tables, plots, a page of HTML and Markdown; and the picture of a recording."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.bench.report.plots import plot_trace
    from chunkenv.bench.report.write import write_leaderboard, write_report

__all__ = [
    "plot_trace",
    "write_leaderboard",
    "write_report",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "plots": "plot_trace",
        "write": "write_leaderboard write_report",
    },
)
