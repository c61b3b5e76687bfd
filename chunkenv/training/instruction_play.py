"""Playing episodes by instruction, to see how good a model is."""

from __future__ import annotations

from dataclasses import dataclass, field

import gymnasium as gym
import numpy as np

from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.evaluate import evaluate
from chunkenv.request import Policy
from chunkenv.training.metrics import Metrics
from chunkenv.training.offline_online import with_unit_actions
from chunkenv.utils.checks import whole_number
from chunkenv.wrappers import ChunkedExecution


@dataclass(frozen=True)
class InstructionPlay:
    """How a model is played while it trains.

    Attributes:
        id: of an environment whose observations have an "instruction".
        arguments: for `gymnasium.make`.
        prediction_horizon: rows of a chunk.
        execution_horizon: ticks between two requests.
        episodes: how many; 0 plays nothing.
        seed: of the episodes.
        delay: of an inference, in ticks.

    Raises:
        ArgumentError: for an invalid number.
    """

    id: str
    prediction_horizon: int
    execution_horizon: int
    arguments: Facts = field(default_factory=dict)
    episodes: int = 20
    seed: int = 0
    delay: int = 0

    def __post_init__(self) -> None:
        whole_number("execution_horizon", self.execution_horizon, at_least=1)
        whole_number("episodes", self.episodes, at_least=0)

    def make_env(self) -> ChunkedExecution:
        """The environment in chunks, with actions from -1 to 1."""
        env = with_unit_actions(gym.make(self.id, **self.arguments))
        return ChunkedExecution(env, self.prediction_horizon, self.execution_horizon, self.delay)

    def __call__(self, policy: Policy) -> Metrics:
        """The share of episodes that were solved, and their mean length in ticks; {} if nothing is played."""
        if not self.episodes:
            return {}
        rows = evaluate(self.make_env, policy, self.episodes, self.seed)
        solved = float(np.mean([bool(row["success"]) for row in rows]))
        return {"solve_rate": solved, "length": float(np.mean([row["ticks"] for row in rows]))}
