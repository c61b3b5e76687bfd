"""Wrappers that give any Gymnasium environment chunks, delays and action noise."""

from chunkenv.wrappers.chunked_execution import ChunkedExecution
from chunkenv.wrappers.flatten import FlattenChunk
from chunkenv.wrappers.request import Request

__all__ = ["ChunkedExecution", "FlattenChunk", "Request"]
