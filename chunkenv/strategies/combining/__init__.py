"""Strategies that take several chunks: their mean, or the best of them."""

from chunkenv.strategies.combining.best_of import BestOf
from chunkenv.strategies.combining.bid import BID
from chunkenv.strategies.combining.temporal_ensembling import TemporalEnsembling

__all__ = [
    "BID",
    "BestOf",
    "TemporalEnsembling",
]
