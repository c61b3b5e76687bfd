"""What a step of a vector environment decided: one reading for the three autoreset modes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import concatenate, create_empty_array, iterate
from numpy.typing import ArrayLike

from chunkenv.errors import ArgumentError, brief
from chunkenv.utils.autoreset import read_mode
from chunkenv.utils.batching import Infos, merge_infos, select_infos
from chunkenv.utils.checks import real_number
from chunkenv.utils.types import AnyVectorEnv, Observation

FINAL = ("final_obs", "final_info")
"""Where SAME_STEP puts what is of the episodes that ended."""


class Decisions(NamedTuple):
    """What N environments decided in one step, in the same form whatever the autoreset mode.

    Attributes:
        decided: bool[N], which took a decision: False for a mere reset (NEXT_STEP), and for a worker that failed.
        rewards: float64[N], of the decisions; 0 where there was none.
        discounts: float64[N], what the value of `last_observations` is multiplied by: 0 after a termination, and 1
            where nothing was decided.
        terminated: bool[N], as the step returned them.
        truncated: bool[N], as the step returned them.
        last_observations: after each decision, the last one of an episode that ended: what a value is bootstrapped
            from. Without an ended episode it is the batch that the step returned, not a copy.
        last_infos: of the decisions, in gymnasium's layout.
    """

    decided: np.ndarray
    rewards: np.ndarray
    discounts: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    last_observations: Observation
    last_infos: Infos


def read_decisions(
    envs: AnyVectorEnv,
    observations: Observation,
    rewards: np.ndarray,
    terminated: np.ndarray,
    truncated: np.ndarray,
    infos: Infos,
    *,
    discount: float | None = None,
    ended_before: ArrayLike | None = None,
) -> Decisions:
    """What the environments decided in a step, from what it returned: `read_decisions(envs, *envs.step(chunks))`.

    In SAME_STEP an episode's last observation, info, ticks and discount are in `final_obs` and `final_info`, and what
    the step returned is of the next episode; in NEXT_STEP the step after an end decides nothing. Here both look like
    DISABLED, so that one training loop fits all three.

    Args:
        envs: any vector environment: a `ChunkedVectorExecution`, or one of gymnasium's, or of workers, whose
            environments are `ChunkedExecution`s; with `discount` also one without chunks.
        observations: as the step returned them, like all up to `infos`.
        rewards: [N].
        terminated: bool[N].
        truncated: bool[N].
        infos: in gymnasium's layout.
        discount: of one step, for environments without chunks only: chunks bring their own.
        ended_before: without chunks, and in NEXT_STEP only: bool[N], whose episodes the step before has ended.

    Raises:
        ArgumentError: the step was not one of chunks and `discount` or `ended_before` is missing, or they don't fit.

    >>> import gymnasium as gym
    >>> envs = gym.make_vec("chunkenv/kinetix-catapult-v0", 2, prediction_horizon=8, discount=0.5, max_episode_steps=9,
    ...     autoreset_mode="SameStep")
    >>> observations, infos = envs.reset(seed=0)
    >>> for _ in range(2):
    ...     step = envs.step(np.zeros((2, 8, 6), np.float32))
    >>> step[-1]["_ticks"], read_decisions(envs, *step).discounts  # the second decision had one tick left
    (array([False, False]), array([0.5, 0.5]))
    """
    mode = read_mode(envs.metadata.get("autoreset_mode"))
    happened, last_observations = infos, observations
    if "final_info" in infos:
        happened, last_observations = _last_infos(infos), _last_observations(envs, observations, infos)
    counted = _mask(happened, "ticks", envs.num_envs) & _mask(happened, "discount", envs.num_envs)
    if discount is None:
        decided = counted
        _expect_chunks(mode, counted | _mask(happened, "fault", envs.num_envs), rewards, terminated | truncated)
        discounts = np.where(decided, happened.get("discount", 1.0), 1.0)
    else:
        decided = _took_step(mode, counted, ended_before, envs.num_envs)
        one = real_number("discount", discount, at_least=0.0, at_most=1.0)
        discounts = np.where(decided, np.where(terminated, 0.0, one), 1.0)
    return Decisions(
        decided,
        np.where(decided, rewards, 0.0),
        discounts,
        terminated,
        truncated,
        last_observations,
        select_infos(happened, decided),
    )


def _last_infos(infos: Infos) -> Infos:
    """The infos, with the last one of each episode that has ended, not the first of the next."""
    own = {key: value for key, value in infos.items() if key.removeprefix("_") not in FINAL}
    return merge_infos(select_infos(own, ~infos["_final_info"]), infos["final_info"])


def _last_observations(envs: AnyVectorEnv, observations: Observation, infos: Infos) -> Observation:
    """A copy of the observations, with the last one of each episode that has ended."""
    each = list(iterate(envs.observation_space, observations))
    for index in np.flatnonzero(infos["_final_obs"]).tolist():
        each[index] = infos["final_obs"][index]
    space = envs.single_observation_space
    return concatenate(space, each, create_empty_array(space, len(each)))


def _mask(infos: Infos, key: str, num_envs: int) -> np.ndarray:
    """Which environments have a key."""
    return infos.get(f"_{key}", np.zeros(num_envs, bool))


def _expect_chunks(mode: AutoresetMode, explained: np.ndarray, rewards: np.ndarray, ended: np.ndarray) -> None:
    """Refuse environments without chunks. In NEXT_STEP, one that says nothing may just have been reset."""
    resets = (mode == AutoresetMode.NEXT_STEP) & (rewards == 0) & ~ended
    if (missing := ~explained & ~resets).any():
        raise ArgumentError(
            f"infos have no 'ticks' and 'discount' of the environments {brief(np.flatnonzero(missing).tolist())}: they "
            "play no chunks. Give discount=, that of one step, and in NEXT_STEP also ended_before=."
        )


def _took_step(mode: AutoresetMode, counted: np.ndarray, ended_before: ArrayLike | None, num_envs: int) -> np.ndarray:
    """Which environments without chunks took a step."""
    if counted.any():
        raise ArgumentError(
            "discount= is for environments without chunks; these have their own in infos: leave it out."
        )
    if mode != AutoresetMode.NEXT_STEP:
        return np.ones(num_envs, bool)
    ended = np.asarray(ended_before)
    if ended.shape != (num_envs,) or ended.dtype != bool:
        raise ArgumentError(
            f"ended_before={brief(ended_before)} does not say whose episodes had ended before this step, which resets "
            f"them in NEXT_STEP: give bool[{num_envs}], terminated | truncated of the step before."
        )
    return ~ended
