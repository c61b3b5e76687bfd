"""What `gymnasium.make` and `gymnasium.make_vec` call for our ids: environments with or without chunks."""

from chunkenv.making.makers import CHUNK_ARGUMENTS, ChunkedTask, EnvMaker, VectorEnvMaker, plays_cycles

__all__ = ["CHUNK_ARGUMENTS", "ChunkedTask", "EnvMaker", "VectorEnvMaker", "plays_cycles"]
