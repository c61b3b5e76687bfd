"""chunkenv: chunked actions and inference latency for any Gymnasium environment.

`ChunkedExecution` turns an environment into a chunked-action MDP with delayed, asynchronous execution; `latency` has
the models of inference latency; `evaluate` is the loop that every number comes from. Importing the package registers
the ids `chunkenv/kinetix-<level>-v0` and `chunkenv/manip-<family>-task<k>-v0`.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from chunkenv import latency, registration
from chunkenv.evaluate import evaluate
from chunkenv.evaluate.batch import evaluate_batch
from chunkenv.utils import moved
from chunkenv.vector import ChunkedVectorExecution
from chunkenv.wrappers import (
    ActionDelay,
    ActionNoise,
    ChunkedExecution,
    ChunkOverlay,
    FlattenChunk,
    ObservationDelay,
    RecordTicks,
    Request,
)

__all__ = [
    "ActionDelay",
    "ActionNoise",
    "ChunkOverlay",
    "ChunkedExecution",
    "ChunkedVectorExecution",
    "FlattenChunk",
    "ObservationDelay",
    "RecordTicks",
    "Request",
    "evaluate",
    "evaluate_batch",
    "latency",
]

__version__ = "0.1.0"

moved.install()
registration.register()


def __getattr__(name: str) -> ModuleType:
    """`chunkenv.kinetix` and `chunkenv.manipulation`, which are imported when they are first asked for."""
    if name not in ("kinetix", "manipulation"):
        raise AttributeError(f"module 'chunkenv' has no attribute {name!r}")
    return importlib.import_module(f"chunkenv.{name}")
