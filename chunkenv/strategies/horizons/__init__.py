"""Strategies that choose when to ask again."""

from chunkenv.strategies.horizons.adaptive_horizon import AdaptiveHorizon, RandomHorizon
from chunkenv.strategies.horizons.dvac import DVAC

__all__ = [
    "DVAC",
    "AdaptiveHorizon",
    "RandomHorizon",
]
