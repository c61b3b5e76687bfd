"""Counts an episode, decision by decision: its row, and the rows of its decisions."""

from __future__ import annotations

from typing import Any

from chunkenv.evaluate.asking import attribute_of
from chunkenv.evaluate.row import Row
from chunkenv.evaluate.smoothness import SmoothnessMetrics
from chunkenv.utils.infos import FIRST_SUCCESS, reported_success
from chunkenv.utils.types import AnyEnv, AnyVectorEnv, Info


class Tally:
    """Counts one episode, decision by decision.

    Args:
        seed: the episode's.
        env: executes chunks: single or vector.
        policy: what is evaluated; if it has a `cost`, the row contains how often the denoiser was evaluated.
        episode: its number, for the rows of its decisions.
    """

    def __init__(self, seed: int, env: AnyEnv | AnyVectorEnv, policy: object, episode: int = 0) -> None:
        self._control_dt = attribute_of(env, "control_dt")
        self._policy: Any = policy
        self._costs = getattr(policy, "cost", None) is not None
        self._smoothness, self._delays = SmoothnessMetrics(attribute_of(env, "chunk_space")), 0
        self._row: Row = {"seed": seed, "ticks": 0, "return": 0.0, "success": None, "underruns": 0, "decisions": 0}
        self._evaluations = self._last_evaluations = 0
        self._first_success: int | None = None
        self._accounts = False
        self._episode = episode

    def add(self, reward: float, info: Info, evaluations: int | None = None) -> None:
        """Count a decision.

        Args:
            reward: the undiscounted sum of its ticks' rewards.
            info: of its step.
            evaluations: of the denoiser, in its inference; None asks the policy's `cost`, if it has one.
        """
        self._add_success(reported_success(info), info)
        self._row["return"] += reward
        self._row["ticks"] += int(info["ticks"])
        self._row["underruns"] += int(info["underruns"])
        self._row["decisions"] += 1
        self._delays += int(info["delay"])
        if self._costs:
            self._last_evaluations = self._policy.cost.evaluations if evaluations is None else evaluations
            self._evaluations += self._last_evaluations
        self._accounts = "actions" in info
        if self._accounts:
            self._smoothness.add(info)

    def _add_success(self, success: bool | None, info: Info) -> None:
        """Success at any tick counts, also one that does not last; a decision that says nothing changes nothing."""
        if success and self._first_success is None:
            self._first_success = self._row["ticks"] + int(info.get(FIRST_SUCCESS, info["ticks"]))
        if success is not None:
            self._row["success"] = success or bool(self._row["success"])

    def decision(self, info: Info, horizon: int, seconds: float) -> Row:
        """The row of the decision that was added last, with the columns `episode` and `DECISION`.

        Args:
            info: of its step.
            horizon: ticks to the next request that were wanted.
            seconds: wall time of its inference.
        """
        return {
            "episode": self._episode,
            "decision": self._row["decisions"] - 1,
            "tick": self._row["ticks"] - int(info["ticks"]),
            "delay": int(info["delay"]),
            "horizon": horizon,
            "ticks": int(info["ticks"]),
            "underruns": int(info["underruns"]),
            "evaluations": self._last_evaluations if self._costs else None,
            "seconds": seconds,
        }

    def row(self) -> Row:
        """The episode's row."""
        row = self._row | {"first_success": self._first_success}
        if self._accounts:
            row |= self._smoothness.measures() | {"charged_latency": self._charged_latency()}
        if self._costs:
            row["denoiser_evaluations"] = self._evaluations
        return row

    def _charged_latency(self) -> float | None:
        """Seconds that the clock charged for a decision, their mean: whole ticks."""
        return None if self._control_dt is None else self._delays * self._control_dt / self._row["decisions"]
