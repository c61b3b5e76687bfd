"""Pictures of studies and recordings, and what they share: colours, lines, panels and headlines."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.bench.report.plots.sweep_plots import describe_sweep, draw_sweep
    from chunkenv.bench.report.plots.trace_plot import plot_trace

__all__ = [
    "describe_sweep",
    "draw_sweep",
    "plot_trace",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "sweep_plots": "describe_sweep draw_sweep",
        "trace_plot": "plot_trace",
    },
)
