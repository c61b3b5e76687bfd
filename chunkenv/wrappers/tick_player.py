"""Several actions played one after the other, to the end of the episode at most."""

from __future__ import annotations

import copy
from typing import NamedTuple

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
    """

    observation: Observation
    rewards: list[float]
    terminated: bool
    truncated: bool
    info: Info
    seen: list[Observation]


def play_rows(env: AnyEnv, actions: list[Action], observation: Observation, tick: int, every_tick: bool) -> Play:
    """Step `env` through `actions`.

    Args:
        env: an environment whose episode is under way.
        actions: one for each tick.
        observation: the present one, which stands where there is no action at all.
        tick: control steps since the reset, for the note that an exception of the environment gets.
        every_tick: whether to keep the observations of all ticks.
    """
    rewards: list[float] = []
    seen: list[Observation] = []
    step, terminated, truncated, info = env.step, False, False, {}
    try:
        for action in actions:
            observation, reward, terminated, truncated, info = step(action)
            rewards.append(reward)  # pyright: ignore[reportArgumentType] (Gymnasium allows what float() takes)
            if every_tick:
                seen.append(copy.deepcopy(observation))
            if terminated or truncated:
                break
    except Exception as error:
        error.add_note(f"raised by {env} at tick {tick + len(rewards)}; call reset() to go on.")
        raise
    return Play(observation, rewards, bool(terminated), bool(truncated), info, seen)


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
