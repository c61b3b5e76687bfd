"""Wrappers that give any Gymnasium environment chunks, delays and action noise."""

from chunkenv.request import Request
from chunkenv.wrappers.action_noise import ActionNoise
from chunkenv.wrappers.chunked_execution import ChunkedExecution
from chunkenv.wrappers.decision_space import DecisionSpace
from chunkenv.wrappers.delays.action_delay import ActionDelay
from chunkenv.wrappers.delays.observation_delay import ObservationDelay
from chunkenv.wrappers.flat_decisions import FlatDecisions
from chunkenv.wrappers.flatten import FlattenChunk
from chunkenv.wrappers.frames.overlay import ChunkOverlay
from chunkenv.wrappers.frames.record_ticks import RecordTicks
from chunkenv.wrappers.options import ChunkOptions

__all__ = [
    "ActionDelay",
    "ActionNoise",
    "ChunkOptions",
    "ChunkOverlay",
    "ChunkedExecution",
    "DecisionSpace",
    "FlatDecisions",
    "FlattenChunk",
    "ObservationDelay",
    "RecordTicks",
    "Request",
]
