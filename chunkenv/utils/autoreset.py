"""Gymnasium's autoreset modes: which environments of a vector have ended, and when they are reset."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.errors import ArgumentError, ResetNeededError, brief
from chunkenv.utils.batching import Infos, copy_members, merge_infos, object_array, replace_members, select_infos
from chunkenv.utils.checks import whole_number
from chunkenv.utils.types import AnySpace, Observation, Value

NO_LIMIT = 2**32 - 1
"""More steps than any episode has; those of a state of Kinetix are counted as uint32."""

Restart = Callable[[np.ndarray], tuple[Observation, Infos]]
"""Resets the environments of a mask; the observations of the others are undefined."""


class Start(NamedTuple):
    """What a reset asks for: which environments (bool[N]), with which seeds, and the options but for the mask."""

    members: np.ndarray
    seeds: list[int | None]
    options: Infos | None


def read_mode(mode: object) -> AutoresetMode:
    """An autoreset mode, or the value of one.

    Raises:
        ArgumentError: it is neither.

    >>> read_mode("SameStep")
    <AutoresetMode.SAME_STEP: 'SameStep'>
    """
    try:
        return AutoresetMode(mode)
    except ValueError:
        known = ", ".join(repr(known.value) for known in AutoresetMode)
        raise ArgumentError(f"autoreset_mode={mode!r} is unknown; choose an AutoresetMode or one of {known}.") from None


def read_time_limit(max_episode_steps: int) -> int:
    """Steps after which an episode is truncated: -1, Gymnasium's word for no limit, is more than any episode has.

    Raises:
        ArgumentError: it is neither -1 nor a whole number of at least 1.

    >>> read_time_limit(100), read_time_limit(-1)
    (100, 4294967295)
    """
    if max_episode_steps == -1 and not isinstance(max_episode_steps, bool):
        return NO_LIMIT
    return whole_number("max_episode_steps", max_episode_steps, at_least=1)


def read_start(seed: object, options: Infos | None, num_envs: int) -> Start:
    """The arguments of a vector environment's reset; the caller's dict is left as it is.

    Args:
        seed: None, a number s (environment i gets s + i), or one for each.
        options: with "reset_mask", bool[N], only those are reset.
        num_envs: N.

    Raises:
        ArgumentError: seeds or a mask that do not fit.
    """
    rest = dict(options or {})
    members = _read_mask(rest.pop("reset_mask", None), num_envs)
    return Start(members, _read_seeds(seed, num_envs), rest or None)


def _read_mask(mask: object, num_envs: int) -> np.ndarray:
    if mask is None:
        return np.ones(num_envs, bool)
    if not (isinstance(mask, np.ndarray) and mask.dtype == bool and mask.shape == (num_envs,) and mask.any()):
        raise ArgumentError(
            f"options['reset_mask']={brief(mask)} does not say which environments to reset; give a numpy array of "
            f"{num_envs} bools, at least one of them True."
        )
    return mask.copy()


def _read_seeds(seed: object, num_envs: int) -> list[int | None]:
    if seed is None:
        return [None] * num_envs
    if isinstance(seed, Sequence | np.ndarray) and not isinstance(seed, str):
        seeds = [None if one is None else _read_seed(one) for one in seed]
        if len(seeds) != num_envs:
            raise ArgumentError(f"seed has {len(seeds)} seeds for {num_envs} environments; give one for each.")
        return seeds
    first = _read_seed(seed)
    return [first + index for index in range(num_envs)]


def _read_seed(seed: Value) -> int:
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise ArgumentError(f"seed={seed!r} is no seed; give an int of at least 0, one for each environment, or None.")
    return number


class Autoreset:
    """Which environments have ended, and what a step does about it.

    NEXT_STEP: the next step of one that ended is its reset; SAME_STEP: the step that ends it is, too, with the last
    observation and info in `final_obs` and `final_info`; DISABLED: the caller resets it.

    Args:
        mode: an `AutoresetMode`, or the value of one.
        num_envs: N.
        observation_space: of one environment.

    Attributes:
        mode: the mode.
        ended: bool[N], those which have to be reset before they can go on.
    """

    def __init__(self, mode: object, num_envs: int, observation_space: AnySpace) -> None:
        self.mode = read_mode(mode)
        self.ended = np.zeros(num_envs, bool)
        self._space = observation_space

    @property
    def at_once(self) -> bool:
        """Whether the step that ends an episode is its reset, too."""
        return self.mode == AutoresetMode.SAME_STEP

    def expect_under_way(self, playing: np.ndarray) -> None:
        """Refuse to play environments (bool[N]) whose episodes are over.

        Raises:
            ResetNeededError: there are some.
        """
        if (over := playing & self.ended).any():
            ended = brief(np.flatnonzero(over).tolist())
            raise ResetNeededError(f"cannot play the environments {ended}: their episodes are over; reset them first.")

    def resetting(self) -> np.ndarray:
        """The environments whose next step is their reset, bool[N].

        Raises:
            ResetNeededError: with DISABLED, if one has ended.
        """
        if self.mode == AutoresetMode.DISABLED and self.ended.any():
            ended = np.flatnonzero(self.ended).tolist()
            raise ResetNeededError(
                f"cannot step: the episodes of the environments {brief(ended)} are over; call reset(options="
                "{'reset_mask': mask}) with True for them first, or choose another autoreset_mode."
            )
        return self.ended.copy()

    def settle(
        self, observations: Observation, ended: np.ndarray, infos: Infos, resetting: np.ndarray, restart: Restart
    ) -> tuple[Observation, Infos]:
        """Reset the environments that the mode resets now, and merge their observations and infos with the others'.

        The arrays of `observations` are written into.
        """
        self.ended = ended.copy()
        due = resetting | ended if self.at_once else resetting
        if not due.any():
            return observations, infos
        if self.at_once and ended.any():
            infos = self.move_to_final(infos, observations, ended)
        fresh, fresh_infos = restart(due)
        self.ended &= ~due
        return replace_members(self._space, observations, fresh, due), merge_infos(infos, fresh_infos)

    def move_to_final(self, infos: Infos, observations: Observation, ended: np.ndarray) -> Infos:
        """The infos with those of the environments that ended (bool[N]) in `final_info`, with their last observations.

        This is what SAME_STEP returns, before what the environments' resets add.
        """
        indices = np.flatnonzero(ended)
        last = zip(indices.tolist(), copy_members(self._space, observations, indices), strict=True)
        return {
            **select_infos(infos, ~ended),
            "final_obs": object_array(dict(last), len(ended)),
            "_final_obs": ended.copy(),
            "final_info": select_infos(infos, ended),
            "_final_info": ended.copy(),
        }
