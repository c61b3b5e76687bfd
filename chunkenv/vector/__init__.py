"""Many environments at once, each with chunks in a phase of its own."""

from chunkenv.vector.chunked_execution import ChunkedVectorExecution
from chunkenv.vector.request import VectorRequest

__all__ = ["ChunkedVectorExecution", "VectorRequest"]
