"""Many environments at once, each with chunks in a phase of its own."""

from chunkenv.request import VectorRequest
from chunkenv.vector.execution import ChunkedVectorExecution

__all__ = ["ChunkedVectorExecution", "VectorRequest"]
