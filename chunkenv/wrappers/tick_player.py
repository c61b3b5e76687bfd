"""Several actions played one after the other, to the end of the episode at most."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from chunkenv.utils.infos import reported_success
from chunkenv.utils.types import Action, AnyEnv, Info, Observation


class Play(NamedTuple):
    """What came of some actions.

    Attributes:
        observation: after the last tick played.
        rewards: of each tick played.
        terminated: as the last tick said.
        truncated: as the last tick said.
        info: of the last tick; {} if none was played.
        seen: copies of the observations of all ticks, if they were asked for.
        first_success: ticks played when an info first reported success; 0 if none did.
    """

    observation: Observation
    rewards: list[float]
    terminated: bool
    truncated: bool
    info: Info
    seen: list[Observation]
    first_success: int


def play_rows(
    env: AnyEnv,
    actions: list[Action],
    observation: Observation,
    tick: int,
    every_tick: bool,
    correct: Callable[[int, Observation, Action], Action] | None = None,
) -> Play:
    """Step `env` through `actions`.

    Args:
        env: an environment whose episode is under way.
        actions: one for each tick; the environment gets a copy of each, which it may keep or write into.
        observation: the present one, which stands where there is no action at all.
        tick: control steps since the reset, for the note that an exception of the environment gets.
        every_tick: whether to keep the observations of all ticks.
        correct: what an action becomes: called with how many ticks were played, the present observation and the action.
    """
    rewards: list[float] = []
    seen: list[Observation] = []
    first_success = 0
    step, terminated, truncated, info = env.step, False, False, {}
    try:
        for action in _copies(actions):
            if correct is not None:
                action = correct(len(rewards), observation, action)
            observation, reward, terminated, truncated, info = step(action)
            rewards.append(reward)  # pyright: ignore[reportArgumentType] (Gymnasium allows what float() takes)
            if info and not first_success and reported_success(info):
                first_success = len(rewards)
            if every_tick:
                seen.append(copy.deepcopy(observation))
            if terminated or truncated:
                break
    except Exception as error:
        error.add_note(f"raised by {env} at tick {tick + len(rewards)}; call reset() to go on.")
        raise
    return Play(observation, rewards, bool(terminated), bool(truncated), info, seen, first_success)


def _copies(actions: list[Action]) -> list[Action]:
    """Each action on its own: what happens to one reaches no row, no held action and no other tick."""
    if not actions or isinstance(actions[0], np.generic):
        return actions  # numbers cannot be written into
    if isinstance(actions[0], np.ndarray):
        return [action.copy() for action in actions]
    return [copy.deepcopy(action) for action in actions]


def describe_nan_rewards(env: object, rewards: list[float], tick: int) -> str:
    """The error sentence for rewards with NaN, the first of them that of `tick`."""
    return (
        f"{env} returned the rewards {[float(reward) for reward in rewards]} from tick {tick} on; expected numbers: "
        "look for an action or a state that it cannot handle, then call reset()."
    )


def describe_nan_observation(env: object, tick: int) -> str:
    """The error sentence for an observation with NaN."""
    return (
        f"{env} returned an observation with NaN at tick {tick}; expected numbers: look for an action or a state that "
        "it cannot handle, then call reset()."
    )
