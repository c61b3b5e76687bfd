"""chunkenv: chunked actions and inference latency for any Gymnasium environment.

`ChunkedExecution` turns an environment into a chunked-action MDP with delayed, asynchronous execution; `latency` has
the models of inference latency; `evaluate` is the loop that every number comes from. Importing the package registers
the ids `chunkenv/kinetix-<level>-v0` and `chunkenv/manip-<family>-task<k>-v0`.
"""

from chunkenv import kinetix, latency, manipulation
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
kinetix.register()
manipulation.register()
