"""What one inference of each method takes on this machine, with networks of several sizes, and what a correction takes.

The *time* is that of real networks: the package's own, and larger ones of the same architecture with random weights.
Time does not depend on what weights are.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from chunkenv.bench.studies.methods import METHODS, PREDICTION_HORIZON, flow_policy, set_up
from chunkenv.evaluate.asking import Asker
from chunkenv.registration import POLICIES
from chunkenv.request import Request
from chunkenv.strategies import Strategy, measure_latency
from chunkenv.utils.types import Action, Observation
from chunkenv.wrappers import ChunkedExecution

CONTROL_DT = 1 / 30
"""Seconds per tick, as the tasks have it."""
REPEATS, FEWEST, ROUNDS = 1000, 20, 20
SECONDS = 5.0
"""Inferences are repeated for as long, at most `REPEATS` times and at least `FEWEST`, in `ROUNDS` turns."""
MEASURED_ON = "mjc_walker"
"""The level with the largest observation; the networks are alike otherwise."""
SHIPPED = 0.4
"""Million parameters of the package's policies, rounded."""
SCHEDULE = (2, 4)
"""Delay and execution horizon, in ticks, of the episode in whose middle everything is measured."""

Traces = Mapping[str, Sequence[float]]
"""Seconds of measured inferences, by method."""
SizedTraces = Mapping[float, Traces]
"""The same by the size of the network, in million parameters."""


def record(
    methods: Sequence[str],
    size: float = SHIPPED,
    policies: str = POLICIES,
    task: str = MEASURED_ON,
    repeats: int = REPEATS,
) -> dict[str, list[float]]:
    """Measure what one inference of each method takes here, in seconds: an idle machine, please.

    The request is one in the middle of an episode, with rows left of the last chunk, so that guidance has work to do.

    Args:
        methods: of `METHODS`.
        size: million parameters of the network; 0.4 is that of the package.
        policies: the family.
        task: the level whose policies are measured.
        repeats: inferences of each method, at most.
    """
    networks = sized_policies(methods, size, policies, task)
    asked = {name: _mid_episode(name, networks[METHODS[name].weights], policies, task) for name in methods}
    counts = {name: _count(float(measure_latency(*each, repeats=1)[0]), repeats) for name, each in asked.items()}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for left in range(ROUNDS, 0, -1):  # in turns: what else the machine does meanwhile hits all methods alike
        for name, own in seconds.items():
            if count := (counts[name] - len(own)) // left:
                own.extend(measure_latency(*asked[name], repeats=count, warm_up=1).tolist())
    return seconds


def sized_policies(
    methods: Sequence[str], size: float, policies: str = POLICIES, task: str = MEASURED_ON
) -> dict[str, Any]:
    """The policies of some methods, by kind, with networks of a size: the package's own, or random ones.

    Args:
        methods: of `METHODS`.
        size: million parameters of the network; 0.4 is that of the package.
        policies: the family.
        task: the level.
    """
    kinds = dict.fromkeys(METHODS[method].weights for method in methods)
    return {kind: _sized(flow_policy(task, kind, policies), size) for kind in kinds}


def record_corrections(
    methods: Sequence[str], policies: str = POLICIES, task: str = MEASURED_ON, chunks: int = 20
) -> dict[str, list[float]]:
    """Measure what the correction of one tick takes here, in seconds, of each method that corrects.

    Args:
        methods: of `METHODS`; those that do not correct are left out.
        policies: the family.
        task: the level that is played.
        chunks: how many are played, with a correction in each of their ticks.
    """
    networks = sized_policies(methods, SHIPPED, policies, task)
    found: dict[str, list[float]] = {}
    for method in methods:
        asked = _set_up(method, networks[METHODS[method].weights], policies, task)
        if asked.correction is not None:
            _play(asked, chunks)
            found[method] = asked.correction.seconds[SCHEDULE[1] :]  # without the first ones, which compile
    return found


class TimedCorrection:
    """A correction that notes how long each call of it took.

    Args:
        corrector: as `ChunkOptions` takes one: a function, or an object with `correct`.

    Attributes:
        seconds: of each call so far.
    """

    def __init__(self, corrector: Any) -> None:
        self._correct = getattr(corrector, "correct", corrector)
        self.seconds: list[float] = []

    def correct(
        self, observation: Observation, row: Action, row_index: int, tick: int, rng: np.random.Generator
    ) -> Any:
        """What the corrector answers."""
        start = time.perf_counter()
        answer = self._correct(observation, row, row_index, tick, rng)
        self.seconds.append(time.perf_counter() - start)
        return answer


def _count(once: float, repeats: int) -> int:
    """How often something is measured that took so many seconds once."""
    return min(repeats, max(FEWEST, int(SECONDS / once)))


class _SetUp(NamedTuple):
    """A method at work in an environment of one episode; its correction, if it corrects."""

    env: ChunkedExecution
    strategy: Strategy
    correction: TimedCorrection | None


def _set_up(method: str, policy: Any, policies: str, task: str) -> _SetUp:
    way, (delay, horizon) = METHODS[method], SCHEDULE
    strategy, options = set_up(way, policy, task, policies, delay, execution_horizon=horizon)
    timed = options["correction"] = TimedCorrection(options["correction"]) if "correction" in options else None
    world = gym.make(f"chunkenv/kinetix-{task}-v0", observation=way.observation)
    return _SetUp(ChunkedExecution(world, PREDICTION_HORIZON, latency=delay, **options), strategy, timed)


def _mid_episode(method: str, policy: Any, policies: str, task: str) -> tuple[Strategy, Observation, Request]:
    """A strategy, an observation and a request in the middle of an episode."""
    asked = _set_up(method, policy, policies, task)
    return asked.strategy, *_play(asked, chunks=2)


def _play(asked: _SetUp, chunks: int) -> tuple[Observation, Request]:
    """Play so many chunks, from the start again where an episode ends; the next observation and request."""
    env, strategy, _ = asked
    asker = Asker(env, strategy)
    rng, over, observation = np.random.default_rng(0), True, None
    for _ in range(chunks):
        if over:
            strategy.reset()
            observation, _ = env.reset(seed=0)
        observation, _, terminated, truncated, _ = env.step(asker.ask(observation, rng).action)
        over = terminated or truncated
    request = env.request._replace(rng=rng)
    env.close()
    return observation, request


def _sized(policy: Any, size: float) -> Any:
    """The policy itself, or one of another size."""
    if size == SHIPPED:
        return policy
    from chunkenv.agents.policies.resized_policy import resized  # brings jax

    return resized(policy, round(1e6 * size))
