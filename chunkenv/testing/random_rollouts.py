"""Rollouts with random chunks, written down decision by decision, for the checks of `ChunkContract`."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from chunkenv.testing.expect import expect, skip

INFO_KEYS = ("ticks", "discount", "delay", "underruns", "discarded")
REQUEST_FIELDS = ("tick", "prefix", "prefix_length", "delay_estimate", "execution_horizon", "left_over")

Row = tuple[np.ndarray, ...]


class Tick(NamedTuple):
    """A control step that the wrapped environment really played; its flags are None if only `info` tells of it."""

    action: Any
    reward: float
    terminated: bool | None
    truncated: bool | None


class Recorder(gym.Wrapper):
    """Writes down every control step; it is put right beneath the wrapper that plays the chunks.

    Attributes:
        ticks: the control steps since they were cleared last.
        copies: whether observations are handed on as copies, so that an environment below that returns its own state
            (as some of Gymnasium's do) is not taken for a fault of the wrapper above.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        gym.Wrapper.__init__(self, env)
        self.ticks: list[Tick] = []
        self.copies = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset what is below."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._handed_on(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Play the step and write it down."""
        given = copy.deepcopy(action)
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.ticks.append(Tick(given, float(reward), bool(terminated), bool(truncated)))
        return self._handed_on(observation), reward, terminated, truncated, info

    def _handed_on(self, observation: Any) -> Any:
        return copy.deepcopy(observation) if self.copies else observation


@dataclass(frozen=True)
class Decision:
    """One decision of a rollout.

    Attributes:
        before: the observation that it answers.
        request: the environment's request.
        asked: copies of both, made before the step.
        chunk: the very chunk that was handed in.
        rows: its rows, copied before the step.
        previous: the rows of the chunk before it; none after a reset.
        left: the rows of the request's `left_over`, copied before the step.
        observation: what the step returned, as the following ones.
        ticks: the control steps really played; None if nobody tells.
    """

    before: Any
    request: Any
    asked: dict[str, Any]
    chunk: Any
    rows: list[Row]
    previous: list[Row]
    left: list[Row]
    observation: Any
    reward: Any
    terminated: Any
    truncated: Any
    info: dict[str, Any]
    ticks: list[Tick] | None

    @property
    def ended(self) -> bool:
        """Whether the episode is over."""
        return bool(self.terminated or self.truncated)

    @property
    def prefix_played(self) -> int:
        """How many of the ticks had a row of the previous chunk, if the request told the truth."""
        return min(len(self.left), self.info["delay"], self.info["ticks"])

    @property
    def stopped(self) -> bool:
        """Whether an underrun cut the episode: with the prefix played and the chunk not there, it is truncated."""
        cut_short = self.prefix_played == self.info["ticks"] < self.info["delay"]
        return bool(self.truncated and cut_short and not (self.ticks and self.ticks[-1].truncated))

    @property
    def played(self) -> list[Tick]:
        """The control steps really played; skips the check if they cannot be seen."""
        if self.ticks is None:
            skip(
                "nobody tells what was executed: no wrapper plays the chunks, and info has no 'actions' and 'rewards'."
            )
        return self.ticks

    def facts(self) -> dict[str, Any]:
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


def play(env: gym.Env[Any, Any], decisions: int, seed: int = 0) -> Iterator[Decision]:
    """Play random chunks, resetting whenever an episode ends; what is done between two decisions is the caller's."""
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


def decide(env: gym.Env[Any, Any], before: Any, previous: list[Row], recorder: Recorder | None) -> Decision:
    """Play one random chunk."""
    request, chunk = read_request(env), env.action_space.sample()
    asked = copy.deepcopy({"before": before, "request": fields_of(request)})
    rows, left = rows_of(chunk, request.left_over), rows_of(request.left_over, request.left_over)
    if recorder:
        recorder.ticks.clear()
    observation, reward, terminated, truncated, info = env.step(chunk)
    missing = [key for key in INFO_KEYS if key not in info]
    expect(not missing, f"info has no {missing}; expected the keys {INFO_KEYS} after every step.")
    ticks = list(recorder.ticks) if recorder else _told(info)
    return Decision(
        before, request, asked, chunk, rows, previous, left, observation, reward, terminated, truncated, info, ticks
    )


def trace(
    env: gym.Env[Any, Any],
    decisions: int,
    meddle: Callable[[gym.Env[Any, Any], Decision], Any] | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """The facts of a rollout in which somebody may meddle between the decisions of an episode."""
    facts = []
    for decision in play(env, decisions, seed):
        facts.append(decision.facts())
        if meddle and not decision.ended:
            meddle(env, decision)
    return facts


def read_request(env: gym.Env[Any, Any]) -> Any:
    """The request of an environment of chunks."""
    expect(env.has_wrapper_attr("request"), f"{env} has no attribute 'request'; expected what the next chunk answers.")
    request = env.get_wrapper_attr("request")
    missing = [field for field in REQUEST_FIELDS if not hasattr(request, field)]
    expect(not missing, f"env.request is {request!r} without {missing}; expected the fields {REQUEST_FIELDS}.")
    return request


def fields_of(request: Any) -> dict[str, Any]:
    """What a request says."""
    return {field: getattr(request, field) for field in REQUEST_FIELDS}


def record(env: gym.Env[Any, Any]) -> Recorder | None:
    """The recorder beneath the chunk wrapper, put there if there is none; None if no wrapper plays the chunks."""
    layer = chunk_layer(env)
    if not isinstance(layer, gym.Wrapper):
        return None
    if not isinstance(layer.env, Recorder):
        layer.env = Recorder(layer.env)
    return layer.env


def chunk_layer(env: Any) -> Any:
    """The innermost layer that has a `request`: the one that plays the chunks; None if there is none."""
    layer = None
    while env is not None:
        if inspect.getattr_static(env, "request", None) is not None:
            layer = env
        env = env.env if isinstance(env, gym.Wrapper) else None
    return layer


def rows_of(chunk: Any, like: Any) -> list[Row]:
    """Copies of a chunk's rows, each with all its parts; `like` is in the layout of rows, the chunk may be flat."""
    parts = [
        np.array(part).reshape(-1, *np.shape(model)[1:])
        for part, model in zip(parts_of(chunk), parts_of(like), strict=True)
    ]
    return list(zip(*parts, strict=True))


def row_of(action: Any) -> Row:
    """An action as a row of a chunk."""
    return tuple(np.asarray(part) for part in parts_of(action))


def same_row(one: Row, other: Row) -> bool:
    """Whether two rows hold the same numbers."""
    return len(one) == len(other) and all(map(np.array_equal, one, other))


def shown(row: Row) -> str:
    """A row in a sentence."""
    return ", ".join(str(part.tolist()) for part in row)


def parts_of(value: Any) -> list[Any]:
    """The arrays of a nested action or chunk, in an order of their own."""
    if isinstance(value, dict):
        return [part for key in sorted(value) for part in parts_of(value[key])]
    if isinstance(value, tuple | list):
        return [part for item in value for part in parts_of(item)]
    return [value]


def _told(info: dict[str, Any]) -> list[Tick] | None:
    if "actions" not in info or "rewards" not in info:
        return None
    pairs = zip(info["actions"], info["rewards"], strict=False)
    return [Tick(action, float(reward), None, None) for action, reward in pairs]
