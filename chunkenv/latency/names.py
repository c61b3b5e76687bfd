"""The names by which specs know the classes of models."""

from __future__ import annotations

from chunkenv.errors import ArgumentError

MODELS: dict[str, str] = {
    "constant": "chunkenv.latency.distributions:Constant",
    "uniform": "chunkenv.latency.distributions:Uniform",
    "lognormal": "chunkenv.latency.distributions:LogNormal",
    "gamma": "chunkenv.latency.gamma:Gamma",
    "bursty": "chunkenv.latency.bursty:Bursty",
    "trace": "chunkenv.latency.trace:Trace",
    "sum": "chunkenv.latency.sums:Sum",
}
"""The short names, and where each class is; as text, so that every model can be asked for its name."""


def name_of(model: type) -> str:
    """What a spec calls a class: its short name, or 'package.module:Class'.

    Raises:
        ArgumentError: if the class is defined in a function, where nobody can import it.

    >>> from chunkenv.latency import LogNormal
    >>> name_of(LogNormal)
    'lognormal'
    """
    if "<locals>" in model.__qualname__:
        raise ArgumentError(
            f"{model.__qualname__} is defined in a function, where no spec finds it; move it to its module."
        )
    place = f"{model.__module__}:{model.__qualname__}"
    short = {known: name for name, known in MODELS.items()}
    return short.get(place, place)
