"""Headlines of plots: shares, of how many episodes, and where they may well be equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chunkenv.bench.analysis.intervals import Interval


def shares(rates: Mapping[str, Interval], difference: Callable[[str, str], Interval], verb: str = "") -> str:
    """The first method's solve rate, then the others'; those are marked that may be equal to the first.

    Args:
        rates: by method, the first first.
        difference: between two methods.
        verb: between the first method and its share.

    >>> rates = {"a": Interval(0.9, 0.8, 1.0), "b": Interval(0.5, 0.4, 0.6)}
    >>> shares(rates, lambda first, second: Interval(0.4, -0.1, 0.9), "solves ")
    'a solves 90 %, b 50 % (perhaps equal)'
    """
    first, *others = rates
    marks = {name: "" if difference(first, name).excludes_zero else " (perhaps equal)" for name in others}
    texts = [f"{name} {100 * rates[name].estimate:.0f} %{marks[name]}" for name in others]
    return ", ".join([f"{first} {verb}{100 * rates[first].estimate:.0f} %", *texts])
