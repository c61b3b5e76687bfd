"""chunkenv: chunked actions and inference latency for any Gymnasium environment.

`ChunkedExecution` turns an environment into a chunked-action MDP with delayed, asynchronous execution; `chunkenv.latency`
has the models of inference latency; importing the package registers the ids `chunkenv/kinetix-<level>-v0`.
"""

from chunkenv.wrappers import ActionDelay, ActionNoise, ChunkedExecution, FlattenChunk, ObservationDelay, Request

__all__ = ["ActionDelay", "ActionNoise", "ChunkedExecution", "FlattenChunk", "ObservationDelay", "Request"]
