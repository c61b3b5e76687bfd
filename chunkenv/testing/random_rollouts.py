"""Rollouts with random chunks, recorded decision by decision, for the checks of `ChunkContract`."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, SupportsFloat

import gymnasium as gym
import numpy as np

from chunkenv.request import Chunk, Request
from chunkenv.testing.expect import expect, skip
from chunkenv.utils.types import Action, AnyEnv, Info, Observation

INFO_KEYS = ("ticks", "discount", "delay", "underruns", "discarded")
REQUEST_FIELDS = ("tick", "prefix", "prefix_length", "delay_estimate", "execution_horizon", "left_over")

Row = tuple[np.ndarray, ...]


class ExecutedTick(NamedTuple):
    """A control step that the wrapped environment really played; its flags are None if it is known from `info` only."""

    action: Action
    reward: float
    terminated: bool | None
    truncated: bool | None


class Recorder(gym.Wrapper):
    """Records every control step; its place is right beneath the wrapper that plays the chunks.

    Attributes:
        ticks: the control steps since they were cleared last.
        copies: whether observations are returned as copies, so that an environment below that returns its own state
            (as some of Gymnasium's do) is not taken for a fault of the wrapper above.
    """

    def __init__(self, env: AnyEnv) -> None:
        gym.Wrapper.__init__(self, env)
        self.ticks: list[ExecutedTick] = []
        self.copies = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Reset what is below."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._copy_if_asked(observation), info

    def step(self, action: Action) -> tuple[Observation, SupportsFloat, bool, bool, Info]:
        """Play the step and record it."""
        given = copy.deepcopy(action)
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.ticks.append(ExecutedTick(given, float(reward), bool(terminated), bool(truncated)))
        return self._copy_if_asked(observation), reward, terminated, truncated, info

    def _copy_if_asked(self, observation: Observation) -> Observation:
        return copy.deepcopy(observation) if self.copies else observation


@dataclass(frozen=True)
class Decision:
    """One decision of a rollout.

    Attributes:
        before: the observation that it answers.
        request: the environment's request.
        asked: copies of both, made before the step.
        chunk: the chunk given to the step, not a copy.
        rows: its rows, copied before the step.
        previous: the rows of the chunk before it; none after a reset.
        left: the rows of the request's `left_over`, copied before the step.
        observation: what the step returned; so are reward, flags and info.
        ticks: the control steps really played; None if unknown.
    """

    before: Observation
    request: Request
    asked: dict[str, object]
    chunk: Chunk
    rows: list[Row]
    previous: list[Row]
    left: list[Row]
    observation: Observation
    reward: SupportsFloat
    terminated: bool
    truncated: bool
    info: Info
    ticks: list[ExecutedTick] | None

    @property
    def ended(self) -> bool:
        """Whether the episode is over."""
        return bool(self.terminated or self.truncated)

    @property
    def prefix_played(self) -> int:
        """How many of the ticks had a row of the previous chunk, if the request is right."""
        return min(len(self.left), self.info["delay"], self.info["ticks"])

    @property
    def stopped(self) -> bool:
        """Whether an underrun cut the episode: with the prefix played and the chunk not there, it is truncated."""
        cut_short = self.prefix_played == self.info["ticks"] < self.info["delay"]
        return bool(self.truncated and cut_short and not (self.ticks and self.ticks[-1].truncated))

    @property
    def played(self) -> list[ExecutedTick]:
        """The control steps really played; skips the check if they are unknown."""
        if self.ticks is None:
            skip("what was executed is unknown: no wrapper plays the chunks, and info has no 'actions' and 'rewards'.")
        return self.ticks

    def facts(self) -> dict[str, object]:
        """Copies of what must be the same in the same episode."""
        return copy.deepcopy(
            {
                "request": self.asked["request"],
                "reset": None if self.previous else self.asked["before"],
                "observation": self.observation,
                "reward": self.reward,
                "flags": (self.terminated, self.truncated),
                "info": {key: self.info[key] for key in INFO_KEYS},
            }
        )


def play(env: AnyEnv, decisions: int, seed: int = 0) -> Iterator[Decision]:
    """Play random chunks, resetting whenever an episode ends; between two decisions the caller may do what it likes."""
    recorder = record(env)
    env.action_space.seed(seed)
    observation, _ = env.reset(seed=seed)
    previous: list[Row] = []
    for _ in range(decisions):
        decision = decide(env, observation, previous, recorder)
        yield decision
        observation, previous = decision.observation, decision.rows
        if decision.ended:
            observation, previous = env.reset()[0], []


def decide(env: AnyEnv, before: Observation, previous: list[Row], recorder: Recorder | None) -> Decision:
    """Play one random chunk."""
    request, chunk = read_request(env), env.action_space.sample()
    asked = copy.deepcopy({"before": before, "request": fields_of(request)})
    rows, left = rows_of(chunk, request.left_over), rows_of(request.left_over, request.left_over)
    if recorder:
        recorder.ticks.clear()
    observation, reward, terminated, truncated, info = env.step(chunk)
    missing = [key for key in INFO_KEYS if key not in info]
    expect(not missing, f"info has no {missing}; expected the keys {INFO_KEYS} after every step.")
    ticks = list(recorder.ticks) if recorder else _read_ticks(info)
    return Decision(
        before, request, asked, chunk, rows, previous, left, observation, reward, terminated, truncated, info, ticks
    )


def trace(
    env: AnyEnv,
    decisions: int,
    perturb: Callable[[AnyEnv, Decision], object] | None = None,
    seed: int = 0,
) -> list[dict[str, object]]:
    """The facts of a rollout, with `perturb` called between the decisions of an episode."""
    facts = []
    for decision in play(env, decisions, seed):
        facts.append(decision.facts())
        if perturb and not decision.ended:
            perturb(env, decision)
    return facts


def read_request(env: AnyEnv) -> Request:
    """The request of an environment of chunks."""
    expect(env.has_wrapper_attr("request"), f"{env} has no attribute 'request'; expected what the next chunk answers.")
    request = env.get_wrapper_attr("request")
    missing = [field for field in REQUEST_FIELDS if not hasattr(request, field)]
    expect(not missing, f"env.request is {request!r} without {missing}; expected the fields {REQUEST_FIELDS}.")
    return request


def fields_of(request: Request) -> dict[str, object]:
    """The fields of a request, by name."""
    return {field: getattr(request, field) for field in REQUEST_FIELDS}


def record(env: AnyEnv) -> Recorder | None:
    """The recorder beneath the chunk wrapper, put there if there is none; None if no wrapper plays the chunks."""
    layer = chunk_layer(env)
    if not isinstance(layer, gym.Wrapper):
        return None
    if not isinstance(layer.env, Recorder):
        layer.env = Recorder(layer.env)
    return layer.env


def chunk_layer(env: AnyEnv | None) -> AnyEnv | None:
    """The innermost layer that has a `request`: the one that plays the chunks; None if there is none."""
    layer = None
    while env is not None:
        if inspect.getattr_static(env, "request", None) is not None:
            layer = env
        env = env.env if isinstance(env, gym.Wrapper) else None
    return layer


def rows_of(chunk: Chunk, like: Chunk) -> list[Row]:
    """Copies of a chunk's rows, each with all its parts; `like` is in the layout of rows, the chunk may be flat."""
    parts = [
        np.array(part).reshape(-1, *np.shape(model)[1:])
        for part, model in zip(parts_of(chunk), parts_of(like), strict=True)
    ]
    return list(zip(*parts, strict=True))


def row_of(action: Action) -> Row:
    """An action as a row of a chunk."""
    return tuple(np.asarray(part) for part in parts_of(action))


def same_row(one: Row, other: Row) -> bool:
    """Whether two rows hold the same numbers."""
    return len(one) == len(other) and all(map(np.array_equal, one, other))


def describe(row: Row) -> str:
    """A row, for a sentence."""
    return ", ".join(str(part.tolist()) for part in row)


def parts_of(value: Chunk) -> list[np.ndarray]:
    """The arrays of a nested action or chunk, in an order of their own."""
    if isinstance(value, dict):
        return [part for key in sorted(value) for part in parts_of(value[key])]
    if isinstance(value, tuple | list):
        return [part for item in value for part in parts_of(item)]
    return [value]


def _read_ticks(info: Info) -> list[ExecutedTick] | None:
    if "actions" not in info or "rewards" not in info:
        return None
    pairs = zip(info["actions"], info["rewards"], strict=False)
    return [ExecutedTick(action, float(reward), None, None) for action, reward in pairs]
