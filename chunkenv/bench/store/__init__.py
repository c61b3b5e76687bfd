"""Where rows are kept: one SQLite file per study, with what made them."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.bench.store.exporting import export
    from chunkenv.bench.store.latency_traces import read_traces, write_traces
    from chunkenv.bench.store.merging import merge
    from chunkenv.bench.store.reading import open_store
    from chunkenv.bench.store.study_store import Store

__all__ = [
    "Store",
    "export",
    "merge",
    "open_store",
    "read_traces",
    "write_traces",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "exporting": "export",
        "latency_traces": "read_traces write_traces",
        "merging": "merge",
        "reading": "open_store",
        "study_store": "Store",
    },
)
