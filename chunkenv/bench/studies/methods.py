"""The execution methods that studies compare: which flow policy each plays with, and how."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import gymnasium as gym
from gymnasium.vector import AutoresetMode

from chunkenv.evaluate import BatchPolicy, Row, evaluate_batch
from chunkenv.registration import ACTION_NOISE
from chunkenv.strategies import BID, RTC, HardMasking, Naive, Strategy, TemporalEnsembling, TrainingTimeRTC

PREDICTION_HORIZON = 8
"""Standard deviation per channel and tick, added before the environment clips."""
SLOTS = 32
"""Episodes that are played side by side. The last bits of a chunk may depend on how many there are, so it is fixed."""


class Method(NamedTuple):
    """A way to execute a chunked policy late.

    Attributes:
        weights: the kind of flow policy: 'plain' or 'prefix'.
        strategy: made of that policy.
        overlap: False is the robot that waits.
        cost: what a chunk takes, compared with the naive one; for the order of the work and the time left only.
    """

    weights: str
    strategy: Callable[[Any], Strategy]
    overlap: bool = True
    cost: float = 1.0


METHODS = {
    "naive": Method("plain", Naive),
    "synchronous": Method("plain", Naive, overlap=False),
    "ensembling": Method("plain", TemporalEnsembling),
    "bid": Method("plain", BID, cost=12.0),
    "rtc": Method("plain", RTC, cost=3.0),
    "hard-masking": Method("plain", HardMasking, cost=3.0),
    "training-time-rtc": Method("prefix", partial(TrainingTimeRTC, longer_prefix="cut")),
}


@cache
def flow_policy(task: str, kind: str) -> Any:
    """The flow policy that comes with the package; made once, so that what it compiles is compiled once."""
    # Before jax starts: workers share the cores, and sums are added in one order however many cores there are.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    from chunkenv.agents import load_pretrained  # brings jax, which the list of settings can do without

    return load_pretrained(task, kind)


def play_method(task: str, method: str, episodes: Sequence[int], seed: int, **chunks: Any) -> list[Row]:
    """Play episodes of a Kinetix level by a method, with the policy that comes with the package.

    Args:
        task: name of the level.
        method: one of `METHODS`.
        episodes: their numbers.
        seed: of the study.
        **chunks: arguments of `ChunkedVectorExecution`.

    Returns:
        A row for each, with everything that `evaluate_batch` measures.
    """
    way = METHODS[method]
    strategy = way.strategy(flow_policy(task, way.weights))
    return play_policy(task, strategy, episodes, seed, overlap=way.overlap, **chunks)


def play_policy(task: str, policy: BatchPolicy, episodes: Sequence[int], seed: int, **chunks: Any) -> list[Row]:
    """Play episodes of a Kinetix level by any policy for its compact observation, as `play_method` does."""

    def make_envs(slots: int) -> Any:
        return gym.make_vec(
            f"chunkenv/kinetix-{task}-v0",
            slots,
            vectorization_mode="vector_entry_point",
            observation="compact",
            action_noise=ACTION_NOISE,
            threads=1,
            autoreset_mode=AutoresetMode.DISABLED,
            prediction_horizon=PREDICTION_HORIZON,
            info="actions",
            **chunks,
        )

    return evaluate_batch(make_envs, policy, episodes, seed, SLOTS)
