"""The entry points of the Kinetix ids."""

from __future__ import annotations

from chunkenv.kinetix.env import KinetixEnv
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.making.makers import EnvMaker, VectorEnvMaker
from chunkenv.registration import TIME_LIMIT

make_kinetix_env = EnvMaker(KinetixEnv, lambda _: TIME_LIMIT, KinetixEnv.metadata, takes_noise=True)
make_kinetix = VectorEnvMaker(KinetixVectorEnv)
