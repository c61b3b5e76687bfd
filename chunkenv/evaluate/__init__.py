"""The one evaluation: an environment, a policy and a seed give one row per episode, one at a time or many at once."""

from chunkenv.evaluate.batch import BatchPolicy, evaluate_batch
from chunkenv.evaluate.single import (
    Policy,
    Row,
    Tally,
    check_env,
    check_policy,
    episode_seed,
    evaluate,
    play_episode,
)
from chunkenv.evaluate.smoothness import Motion

__all__ = [
    "BatchPolicy",
    "Motion",
    "Policy",
    "Row",
    "Tally",
    "check_env",
    "check_policy",
    "episode_seed",
    "evaluate",
    "evaluate_batch",
    "play_episode",
]
