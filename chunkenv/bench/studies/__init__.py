"""The studies of the package, the execution methods that they compare, and studies of your own."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.bench.studies.methods import (
        METHODS,
        Method,
        available_methods,
        flow_policy,
        play_method,
        play_policy,
    )
    from chunkenv.bench.studies.user_study import load_study

__all__ = [
    "METHODS",
    "Method",
    "available_methods",
    "flow_policy",
    "load_study",
    "play_method",
    "play_policy",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "methods": "METHODS Method available_methods flow_policy play_method play_policy",
        "user_study": "load_study",
    },
)
