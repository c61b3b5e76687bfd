"""Several actions played one after the other, to the end of the episode at most."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import gymnasium as gym


class Play(NamedTuple):
    """What came of some actions.

    Attributes:
        observation: after the last tick played.
        rewards: of each tick played.
        terminated: as the last tick said.
        truncated: as the last tick said.
        info: of the last tick; {} if none was played.
        seen: copies of the observations of all ticks, if they were asked for.
    """

    observation: Any
    rewards: list[float]
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    seen: list[Any]


def play_rows(env: gym.Env[Any, Any], actions: list[Any], observation: Any, tick: int, every_tick: bool) -> Play:
    """Step `env` through `actions`.

    Args:
        env: an environment whose episode is under way.
        actions: one for each tick.
        observation: the present one, which stands where there is no action at all.
        tick: control steps since the reset, for the note that an exception of the environment gets.
        every_tick: whether to keep the observations of all ticks.
    """
    step, rewards, seen = env.step, [], []
    terminated, truncated, info = False, False, {}
    try:
        for action in actions:
            observation, reward, terminated, truncated, info = step(action)
            rewards.append(reward)
            if every_tick:
                seen.append(copy.deepcopy(observation))
            if terminated or truncated:
                break
    except Exception as error:
        error.add_note(f"raised by {env} at tick {tick + len(rewards)}; call reset() to go on.")
        raise
    return Play(observation, rewards, bool(terminated), bool(truncated), info, seen)


def not_a_number(env: Any, rewards: list[float], tick: int) -> str:
    """The sentence about rewards among which there is a NaN, the first of them that of `tick`."""
    return (
        f"{env} returned the rewards {[float(reward) for reward in rewards]} from tick {tick} on; expected numbers: "
        "look for an action or a state that it cannot handle, then call reset()."
    )


def not_observed(env: Any, tick: int) -> str:
    """The sentence about an observation with NaN."""
    return (
        f"{env} returned an observation with NaN at tick {tick}; expected numbers: look for an action or a state that "
        "it cannot handle, then call reset()."
    )
