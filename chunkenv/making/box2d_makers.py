"""The entry point of the Box2D ids."""

from __future__ import annotations

from chunkenv.kinetix.backends.box2d_env import Box2DKinetixEnv
from chunkenv.making.makers import EnvMaker
from chunkenv.registration import TIME_LIMIT

make_box2d_env = EnvMaker(Box2DKinetixEnv, lambda _: TIME_LIMIT, Box2DKinetixEnv.metadata, takes_noise=True)
