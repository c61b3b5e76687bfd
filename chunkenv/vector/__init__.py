"""Many environments at once, each with chunks in a phase of its own."""

from chunkenv.request import VectorRequest
from chunkenv.vector.decisions import Decisions, read_decisions
from chunkenv.vector.execution import ChunkedVectorExecution

__all__ = ["ChunkedVectorExecution", "Decisions", "VectorRequest", "read_decisions"]
