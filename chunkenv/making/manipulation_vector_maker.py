"""The entry point of the manipulation ids for `gymnasium.make_vec`."""

from __future__ import annotations

from chunkenv.making.makers import VectorEnvMaker
from chunkenv.manipulation.vector_env import ManipulationVectorEnv

make_manipulation = VectorEnvMaker(ManipulationVectorEnv)
