"""`chunkenv trace fit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from chunkenv.cli.console_tables import print_table
from chunkenv.cli.trace.recording_options import Recording, RecordingFile, read_recording
from chunkenv.latency.fitting import Fit, fit_models
from chunkenv.utils.extras import require

DIGITS = 4
CLOSE = 0.1
"""Of the median latency: a fit with a larger gap to a quantile is no good description."""


def fit(
    path: RecordingFile,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of the picture, a PNG.", show_default="beside the recording")
    ] = None,
) -> None:
    """Find the latency model that fits a recording, print its spec, and draw a picture.

    Every model is fitted by maximum likelihood. The first of the table predicts best: each fifth of the recording was
    predicted by a fit to the rest.
    """
    require("bench", "matplotlib")
    from chunkenv.bench.report.plots.trace_plot import plot_trace

    recording = read_recording(path)
    fits = fit_models(recording.episodes)
    picture = plot or path.with_suffix(".png")
    plot_trace(recording.episodes, fits, f"Latency of {path.stem}", picture, recording.control_dt)
    console = Console(highlight=False)
    print_table(console, _table(fits))
    console.print()
    console.print(json.dumps(rounded(fits[0].model.spec())), soft_wrap=True)
    console.print()
    console.print(_verdict(recording, fits[0], path), soft_wrap=True)
    console.print(f"picture  {picture}", soft_wrap=True)


def rounded(value: Any) -> Any:
    """Plain data with its numbers to four digits.

    >>> rounded({"model": "lognormal", "median": 0.0412345, "sigma": [1.0, 2]})
    {'model': 'lognormal', 'median': 0.04123, 'sigma': [1.0, 2]}
    """
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _table(fits: list[Fit]) -> Table:
    """How the models compare, the best first."""
    table = Table("model", "AIC", "held out", "largest gap (ms)", box=None, padding=(0, 2, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    for each in fits:
        table.add_row(each.name, f"{each.aic:.1f}", f"{each.held_out:.3f}", f"{1e3 * each.gap:.2f}")
    return table


def _verdict(recording: Recording, best: Fit, path: Path) -> str:
    """Whether the best is good enough, and what else there is."""
    replay = json.dumps({"model": "trace", "recording": str(path), "mode": "replay"})
    if best.gap > CLOSE * float(np.median(recording.seconds)):
        return (
            f"No model is near: the best misses a quantile by {1e3 * best.gap:.1f} ms, more than {CLOSE:.0%} of the "
            f"median. Replay the recording itself: {replay}"
        )
    return f"This is latency= of ChunkedExecution. The recording itself is {replay}"
