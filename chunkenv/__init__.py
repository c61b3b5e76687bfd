"""chunkenv: chunked actions and inference latency for any Gymnasium environment.

`ChunkedExecution` turns an environment into a chunked-action MDP with delayed, asynchronous execution; `chunkenv.latency`
has the models of inference latency; importing the package registers the ids `chunkenv/kinetix-<level>-v0`.
"""

from chunkenv.wrappers import ChunkedExecution, FlattenChunk, Request

__all__ = ["ChunkedExecution", "FlattenChunk", "Request"]
