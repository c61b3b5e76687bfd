"""The execution methods that studies compare: which flow policy each plays with, and how."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import gymnasium as gym
from gymnasium.vector import AutoresetMode

from chunkenv.agents.pretrained import manifest
from chunkenv.bench.studies.modelled_methods import jacobian_reflex, predicted_state, predicted_state_learned, vlash
from chunkenv.evaluate import BatchPolicy, Row, evaluate_batch
from chunkenv.registration import ACTION_NOISE, LEVELS, POLICIES
from chunkenv.strategies import (
    BID,
    DVAC,
    PAINT,
    REMAC,
    RTC,
    AdaptiveHorizon,
    HardMasking,
    Naive,
    SoftTrainingTimeRTC,
    Strategy,
    TemporalEnsembling,
    TrainingTimeRTC,
)

PREDICTION_HORIZON = 8
TICK = 0.3
"""What a tick takes beside inferences and corrections, in units of `Method.cost`."""
SLOTS = 32
"""Episodes that are played side by side. The last bits of a chunk may depend on how many there are, so it is fixed."""


class Method(NamedTuple):
    """A way to execute a chunked policy late.

    Attributes:
        weights: the kind of flow policy, one of `chunkenv.agents.pretrained.KINDS`; empty for a method without one,
            whose `strategy` is given the name of the level.
        strategy: made of that policy; it may read the policy's `level`. One with `correct_batch` is also the
            environment's `correction`.
        overlap: False is the robot that waits.
        cost: what a chunk takes, compared with the naive one, as `benchmarks/strategy_costs.py` measures it; for the
            order of the work and the time left only.
        correction: what the correction of a tick takes, in the same unit.
        needs: what it needs beside a policy that samples, in a word or two each: "training", "gradient", "expert",
            "model".
        observation: of the environment: "compact", or "state" for a strategy that is given the engine's state.
        chunks: further arguments of `ChunkedVectorExecution`, for a task, the policies' family, delay and execution
            horizon: `chunks(task, policies, delay, execution_horizon)` returns a dictionary.
        also: kinds of further files that it loads from the family, beside `weights`: "KIND" for `LEVEL-KIND`.
    """

    weights: str
    strategy: Callable[[Any], Strategy]
    overlap: bool = True
    cost: float = 1.0
    correction: float = 0.0
    needs: tuple[str, ...] = ()
    observation: str = "compact"
    chunks: Callable[[str, str, int, int], Mapping[str, Any]] | None = None
    also: tuple[str, ...] = ()


@cache
def correction_head(task: str, label: str, policies: str = POLICIES) -> Any:
    """The head of A2C2 that a family has for a level's plain policy."""
    from chunkenv.agents import load_head

    return load_head(task, label, policies)


def _corrected(label: str, task: str, policies: str, delay: int, execution_horizon: int) -> Mapping[str, Any]:
    """Every planned action is corrected by the newest observation."""
    return {"correction": correction_head(task, label, policies)}


def _chosen_horizon(task: str, policies: str, delay: int, execution_horizon: int) -> Mapping[str, Any]:
    """The strategy chooses from the cell's horizon to the longest that leaves no tick without a row."""
    return {"execution_horizon": (execution_horizon, max(execution_horizon, PREDICTION_HORIZON - delay))}


METHODS = {
    "naive": Method("plain", Naive),
    "synchronous": Method("plain", Naive, overlap=False),
    "ensembling": Method("plain", TemporalEnsembling, cost=1.2),
    "bid": Method("plain", BID, cost=11.0),
    "rtc": Method("plain", RTC, cost=2.1, needs=("gradient",)),
    "hard-masking": Method("plain", HardMasking, cost=2.1, needs=("gradient",)),
    "paint": Method("plain", PAINT, cost=2.9),
    "adaptive-horizon": Method("plain", AdaptiveHorizon, cost=3.3, chunks=_chosen_horizon),
    "dvac": Method("plain", DVAC, cost=1.2, chunks=_chosen_horizon),
    "training-time-rtc": Method("prefix", partial(TrainingTimeRTC, longer_prefix="cut"), cost=1.1, needs=("training",)),
    "soft-training-time-rtc": Method(
        "soft-prefix", partial(SoftTrainingTimeRTC, longer_prefix="cut"), cost=1.1, needs=("training",)
    ),
    "remac": Method("remac", partial(REMAC, longer_prefix="cut"), needs=("training",)),
    "deflect": Method("deflect", partial(TrainingTimeRTC, longer_prefix="cut"), cost=1.1, needs=("training",)),
    "predicted-state": Method("plain", predicted_state, cost=1.3, needs=("model",), observation="state"),
    "predicted-state-learned": Method(
        "plain", predicted_state_learned, cost=1.6, needs=("training", "model"), also=("model",)
    ),
    "vlash": Method("vlash", vlash, cost=1.3, needs=("training", "model"), observation="state"),
    "jacobian-reflex": Method(
        "plain", jacobian_reflex, cost=7.6, correction=2.1, needs=("gradient", "model"), observation="state"
    ),
    "a2c2": Method(
        "plain",
        Naive,
        correction=0.1,
        needs=("training", "expert"),
        chunks=partial(_corrected, "expert"),
        also=("a2c2-expert",),
    ),
    "a2c2-policy": Method(
        "plain", Naive, correction=0.1, needs=("training",), chunks=partial(_corrected, "policy"), also=("a2c2-policy",)
    ),
}
"""The methods that studies compare, by name."""


def tick_cost(way: Method, execution_horizon: float) -> float:
    """What a tick of an episode takes, in units of `Method.cost`, with an inference every `execution_horizon` ticks.

    >>> tick_cost(METHODS["naive"], 4), tick_cost(METHODS["rtc"], 1)
    (0.55, 2.4)
    """
    return way.cost / execution_horizon + way.correction + TICK


def missing_weights(method: str, policies: str = POLICIES, tasks: Sequence[str] = LEVELS) -> list[str]:
    """The files that a method loads and a family lacks: "LEVEL-KIND".

    Args:
        method: one of `METHODS`.
        policies: "published", "smooth", or a folder of flow policies.
        tasks: names of levels.

    Raises:
        ArgumentError: there is no such family.
    """
    there, kinds = manifest(policies), (METHODS[method].weights, *METHODS[method].also)
    return [f"{task}-{kind}" for task in tasks for kind in kinds if kind and f"{task}-{kind}" not in there]


def available_methods(policies: str = POLICIES, tasks: Sequence[str] = LEVELS) -> tuple[str, ...]:
    """The methods whose weights a family has for all of some levels, in the order of `METHODS`."""
    return tuple(method for method in METHODS if not missing_weights(method, policies, tasks))


@cache
def flow_policy(task: str, kind: str, policies: str = POLICIES) -> Any:
    """A flow policy of a family; made once, so that what it compiles is compiled once."""
    # Before jax starts: workers share the cores, and sums are added in one order however many cores there are.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    from chunkenv.agents import load_pretrained  # brings jax, which the list of settings can do without

    return load_pretrained(task, kind, policies)


def play_method(
    task: str,
    method: str | Method,
    episodes: Sequence[int],
    seed: int,
    policies: str = POLICIES,
    delay: int | None = None,
    **chunks: Any,
) -> list[Row]:
    """Play episodes of a Kinetix level by a method, with the policy of a family.

    Args:
        task: name of the level.
        method: one of `METHODS`, or one of your own.
        episodes: their numbers.
        seed: of the study.
        policies: "published", "smooth", or a folder of flow policies.
        delay: the ticks that `Method.chunks` is told; `latency`, which is in ticks then, if None.
        **chunks: arguments of `ChunkedVectorExecution`, with `execution_horizon`.

    Returns:
        A row for each, with everything that `evaluate_batch` measures.
    """
    way = METHODS[method] if isinstance(method, str) else method
    policy = flow_policy(task, way.weights, policies) if way.weights else task
    planned = chunks.get("latency", 0) if delay is None else delay
    strategy, chunks = set_up(way, policy, task, policies, planned, **chunks)
    return play_policy(task, strategy, episodes, seed, way.observation, overlap=way.overlap, **chunks)


def set_up(
    way: Method, policy: Any, task: str, policies: str, delay: int, **chunks: Any
) -> tuple[Strategy, dict[str, Any]]:
    """The strategy of a method, and the arguments of the environment in which it is at work.

    Args:
        way: the method.
        policy: what its strategy is made of.
        task: name of the level.
        policies: the family.
        delay: the ticks that `Method.chunks` is told.
        **chunks: arguments of `ChunkedVectorExecution`, with `execution_horizon`.
    """
    strategy = way.strategy(policy)
    if hasattr(strategy, "correct_batch"):
        chunks["correction"] = strategy
    if way.chunks is not None:
        chunks |= way.chunks(task, policies, delay, chunks["execution_horizon"])
    return strategy, chunks


def play_policy(
    task: str, policy: BatchPolicy, episodes: Sequence[int], seed: int, observation: str = "compact", **chunks: Any
) -> list[Row]:
    """Play episodes of a Kinetix level by any policy for one of its observations, as `play_method` does."""
    return evaluate_batch(partial(make_envs, task, observation, chunks), policy, episodes, seed, SLOTS)


def make_envs(task: str, observation: str, chunks: Mapping[str, Any], slots: int) -> Any:
    """The environments of a study: a Kinetix level so many times, with arguments of `ChunkedVectorExecution`."""
    return gym.make_vec(
        f"chunkenv/kinetix-{task}-v0",
        slots,
        vectorization_mode="vector_entry_point",
        observation=observation,
        action_noise=ACTION_NOISE,
        threads=1,
        autoreset_mode=AutoresetMode.DISABLED,
        prediction_horizon=PREDICTION_HORIZON,
        info="actions",
        **chunks,
    )
