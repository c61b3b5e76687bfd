"""`chunkenv trace show`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from chunkenv.cli.console_tables import print_table
from chunkenv.cli.trace.recording_options import Recording, RecordingFile, read_recording
from chunkenv.latency import RecordedTrace
from chunkenv.latency.delay_shares import RATES, correlation, delay_shares

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
BINS = 16
LONGEST_BAR = 40
BLOCKS = " ▏▎▍▌▋▊▉█"
TIED = 0.1
"""A correlation of ranks from which on slow inferences come together, if it is no chance either."""


def show(path: RecordingFile) -> None:
    """How long inferences took: quantiles, a histogram, the delay in ticks at 10 to 100 Hz, and late ticks."""
    recording = read_recording(path)
    console = Console(highlight=False)
    console.print(_summary(recording), soft_wrap=True)
    console.print()
    print_table(console, _quantiles(recording.seconds))
    console.print()
    for line in histogram(recording.seconds):
        console.print(line, soft_wrap=True)
    console.print()
    print_table(console, _delays(recording.seconds))
    if recording.trace is not None:
        console.print()
        console.print(describe_control(recording.trace), soft_wrap=True)


def _summary(recording: Recording) -> str:
    tied = correlation(recording.episodes)
    order = "no sign that slow ones come together"
    if tied > max(TIED, 3.0 / math.sqrt(len(recording.seconds))):
        order = f"slow ones come together (rank correlation {tied:.2f} with the one before)"
    if math.isnan(tied):
        order = "too much alike to say whether slow ones come together"
    count = len(recording.episodes)
    return f"{len(recording.seconds):,} inferences in {count:,} episode{'s' if count > 1 else ''}; {order}."


def _quantiles(seconds: Sequence[float]) -> Table:
    """Milliseconds."""
    names = {0.0: "least", 0.5: "median", 1.0: "most"}
    table = Table("latency (ms)", *(names.get(share, f"{share:.0%}") for share in SHARES), "mean", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    values = [*np.quantile(seconds, SHARES).tolist(), float(np.mean(seconds))]
    table.add_row("", *(f"{1e3 * value:.1f}" for value in values))
    return table


def histogram(seconds: Sequence[float]) -> list[str]:
    """Lines of bars, from the least latency to the 99 % quantile; what is slower is in the last.

    >>> for line in histogram([0.1] * 3 + [0.2]):
    ...     print(line)
      100.0 -   197.0 ms ████████████████████████████████████████ 3
      197.0 -   200.0 ms █████████████▍ 1
    """
    low, high = float(np.min(seconds)), float(np.quantile(seconds, 0.99))
    count = min(BINS, max(1, round(math.sqrt(len(seconds)) / 2)))
    edges = np.linspace(low, high, count + 1)
    counts = np.bincount(np.clip(np.searchsorted(edges, seconds, "left") - 1, 0, count), minlength=count + 1).tolist()
    edges = [*edges.tolist(), float(np.max(seconds))]
    shown = [i for i, number in enumerate(counts) if i < count or number]
    return [_bar(edges[i], edges[i + 1], counts[i], max(counts)) for i in shown]


def _bar(low: float, high: float, number: int, largest: int) -> str:
    eighths = round(8 * LONGEST_BAR * number / largest)
    bar = "█" * (eighths // 8) + BLOCKS[eighths % 8].strip()
    return f"{1e3 * low:7.1f} - {1e3 * high:7.1f} ms {bar} {number}"


def _delays(seconds: Sequence[float]) -> Table:
    """At each rate: the usual delay, and how often it is how long."""
    table = Table("rate (Hz)", "median", "95%", "most", "delay in ticks: share of the inferences", box=None)
    for column in table.columns[1:4]:
        column.justify = "right"
    for rate in RATES:
        shares = delay_shares(seconds, rate)
        numbers = [_at_share(shares, share) for share in (0.5, 0.95, 1.0)]
        listed = ", ".join(f"{delay}: {share:.1%}" for delay, share in shares.items() if share >= 0.01)
        table.add_row(f"{rate}", *map(str, numbers), listed)
    return table


def _at_share(shares: dict[int, float], wanted: float) -> int:
    """The least delay that a share of the inferences does not exceed."""
    total = 0.0
    for delay, share in shares.items():
        total += share
        if total >= wanted - 1e-9:
            return delay
    return max(shares)


def describe_control(trace: RecordedTrace) -> str:
    """What the control loop met: delays as it saw them, ticks that it was late, chunks that never came."""
    delays = [row.delay_ticks for row in trace.rows if row.delay_ticks is not None]
    late, never = sum(row.late for row in trace.rows), sum(row.latency_s is None for row in trace.rows)
    seen = f"delays of {_span(min(delays), max(delays))} ticks" if delays else "no delay"
    begun = f"{late or 'no'} tick{'' if late == 1 else 's'} began late while an inference was under way"
    lost = f"; {never} inference{'' if never == 1 else 's'} had not ended with the episode" if never else ""
    return f"Recorded at {1.0 / trace.control_dt:g} Hz (control_dt={trace.control_dt:g} s): {seen}; {begun}{lost}."


def _span(least: int, most: int) -> str:
    return f"{least}" if least == most else f"{least} to {most}"
