"""A warning when an algorithm of Stable-Baselines3 discounts decisions by its one gamma, where that is wrong."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterator, Sequence
from types import FrameType

from stable_baselines3.common.base_class import BaseAlgorithm

from chunkenv.sb3.chunk_replay import ChunkReplayBuffer
from chunkenv.sb3.rollout_buffer import ChunkRolloutBuffer
from chunkenv.utils.types import Info


class WrongDiscountWarning(UserWarning):
    """An algorithm discounts decisions by another factor than their environment."""


class StockCheck:
    """Compares the discounts of decisions with the gamma of the algorithm that collects them, until one is wrong.

    An environment does not know who steps it, so the callers are looked at, once for each reset. Buffers and algorithms
    of this package read the discounts themselves and are left alone, as is whoever steps without learning.
    """

    def __init__(self) -> None:
        self._warned = self._looked = False
        self._learner: BaseAlgorithm | None = None

    def reset(self) -> None:
        """Look again who steps."""
        self._looked, self._learner = self._warned, None

    def check(self, infos: Sequence[Info]) -> None:
        """Warn, once, if the decisions of `infos` are discounted wrongly."""
        if not self._looked:
            self._learner, self._looked = _find_stock_learner(), True
        if self._learner is None:
            return
        gamma = float(getattr(self._learner, "gamma", 1.0))
        wrong = next((info for info in infos if _is_wrong(info, gamma)), None)
        if wrong is not None:
            warnings.warn(_sentence(self._learner, gamma, wrong), WrongDiscountWarning, stacklevel=5)
            self._warned, self._learner = True, None


def _is_wrong(info: Info, gamma: float) -> bool:
    """Whether gamma is not this decision's discount; once it terminated, nothing is left to discount."""
    discount = info.get("discount", gamma)
    return bool(discount) and not math.isclose(discount, gamma, rel_tol=1e-6)


def _find_stock_learner() -> BaseAlgorithm | None:
    """The algorithm that is collecting decisions now, unless it collects them into a buffer of this package."""
    for frame in _callers():
        if frame.f_code.co_name == "collect_rollouts" and isinstance(learner := frame.f_locals["self"], BaseAlgorithm):
            buffer = frame.f_locals.get("rollout_buffer", frame.f_locals.get("replay_buffer"))
            return None if isinstance(buffer, ChunkRolloutBuffer | ChunkReplayBuffer) else learner
    return None


def _sentence(learner: BaseAlgorithm, gamma: float, info: Info) -> str:
    name = type(learner).__name__
    on_policy = f"a class that inherits PerDecisionDiscounts and {name}, such as ChunkPPO,"
    ours = "replay_buffer_class=ChunkReplayBuffer" if hasattr(learner, "replay_buffer") else on_policy
    return (
        f"{name} discounts every decision by gamma={gamma:g}, but one of {info['ticks']} control steps is worth "
        f"{info['discount']:.6g}; use {ours} of chunkenv.sb3: it takes the discount of each decision "
        "(docs/howto/sb3.md says which class is for which algorithm)."
    )


def _callers() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back
