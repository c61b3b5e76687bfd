"""Strategies that allow for what changes while an inference runs: by a model of the world, or to first order."""

from chunkenv.strategies.prediction.jacobian_reflex import JacobianDenoiser, JacobianReflex
from chunkenv.strategies.prediction.predicted_state import PredictedState, WorldModel
from chunkenv.strategies.prediction.vlash import VLASH

__all__ = [
    "VLASH",
    "JacobianDenoiser",
    "JacobianReflex",
    "PredictedState",
    "WorldModel",
]
