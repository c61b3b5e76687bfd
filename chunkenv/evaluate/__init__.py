"""The one evaluation: an environment, a policy and a seed give one row per episode, one at a time or many at once."""

from chunkenv.evaluate.asking import check_policy, reset_policy
from chunkenv.evaluate.batch import evaluate_batch
from chunkenv.evaluate.row import DECISION, EPISODE, MEASURES, Row
from chunkenv.evaluate.single import (
    check_env,
    episode_seed,
    evaluate,
    play_episode,
)
from chunkenv.evaluate.smoothness import SmoothnessMetrics
from chunkenv.evaluate.tally import Tally
from chunkenv.request import BatchPolicy, Policy

__all__ = [
    "DECISION",
    "EPISODE",
    "MEASURES",
    "BatchPolicy",
    "Policy",
    "Row",
    "SmoothnessMetrics",
    "Tally",
    "check_env",
    "check_policy",
    "episode_seed",
    "evaluate",
    "evaluate_batch",
    "play_episode",
    "reset_policy",
]
