"""Batches of vector environments: infos with masks, observations, and several ticks played at once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.utils.spaces import Checked, Leaf, map_parts, padding, read_array
from chunkenv.utils.types import Action, AnySpace, Info, Observation, Value

Infos = Info
"""Gymnasium's info of a vector environment: a value per key and, under `_key`, which environments have it."""


class Playback(NamedTuple):
    """What N environments did while each played its own number of ticks.

    Attributes:
        observations: a new batch, which the caller may write into, after each one's last tick; of one that played
            none, its last observation again.
        rewards: float64[N, T], 0 beyond the ticks played.
        ticks: int64[N], how many ticks each really played: an end stops it.
        terminated: bool[N].
        truncated: bool[N].
        infos: of each one's last tick.
        seen: per environment the observations of all its ticks, if `every_tick` was given.
        first_success: int64[N], ticks played when each one's info first reported success, 0 if none did; None where
            success ends an episode, so that the infos of the last tick tell.
    """

    observations: Observation
    rewards: np.ndarray
    ticks: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    infos: Infos
    seen: list[list[Observation]] | None
    first_success: np.ndarray | None = None


class Playable(Protocol):
    """N environments that can play several ticks, each a number of its own, and be reset one by one."""

    def play(self, actions: Action, ticks: np.ndarray, *, every_tick: bool = False) -> Playback:
        """Play the first `ticks[i]` of environment i's `actions` (batched [N, T, ...]), to its end at most."""
        ...

    def restart(
        self, members: np.ndarray, seeds: Sequence[int | None], options: Info | None
    ) -> tuple[Observation, Infos]:
        """Reset some environments (bool[N]); the observations, of which the others' are undefined, are to be read."""
        ...

    def observe(self) -> Observation:
        """A new batch of the present observations."""
        ...


def float32_array(value: object, shape: tuple[int | None, ...]) -> np.ndarray | None:
    """Numbers of a shape (None: any length) as float32, infinite where too large; None if they are not that.

    The array is contiguous and writeable: for any other kind numba would compile the kernels once more.

    >>> float32_array([1, 2.5], (2,))
    array([1. , 2.5], dtype=float32)
    >>> float32_array([1, 2.5], (3,)) is None
    True
    """
    try:
        array = read_array(value, "array", "numbers")
    except ActionError:
        return None
    fits = array.ndim == len(shape) and all(wanted in (None, n) for wanted, n in zip(shape, array.shape, strict=True))
    if array.dtype.kind not in "fiu" or not fits:
        return None
    with np.errstate(over="ignore"):
        return np.require(array, np.float32, ["C", "A", "W"])


def read_play(
    actions: object,
    ticks: object,
    num_envs: int,
    n_actions: int,
    is_sound: Callable[[np.ndarray], np.ndarray],
    requirement: str,
) -> tuple[np.ndarray, np.ndarray]:
    """The actions and ticks that a vector environment plays, checked before anything moves.

    Args:
        actions: float32[N, T, A].
        ticks: int64[N], from 0 to T.
        num_envs: N.
        n_actions: A.
        is_sound: of [N, T, A], which numbers can be played, bool[N, T, A]; those beyond the ticks need not.
        requirement: what a row of such numbers is, for the sentence.

    Raises:
        ActionError: actions of another shape or type, or one that cannot be played.
        ArgumentError: ticks that do not fit.

    >>> read_play(np.zeros((2, 3, 1)), [3, 0], 2, 1, np.isfinite, "finite")[1]
    array([3, 0])
    """
    array, counts = float32_array(actions, (num_envs, None, n_actions)), np.asarray(ticks)
    if array is None:
        raise ActionError(f"{brief(actions)} are not actions: give float32[{num_envs}, T, {n_actions}].")
    longest = array.shape[1]
    whole = counts.shape == (num_envs,) and counts.dtype.kind in "iu"
    if not whole or counts.min() < 0 or counts.max() > longest:
        raise ArgumentError(f"ticks={brief(ticks)}: give int64[{num_envs}], each from 0 to {longest}.")
    sound = is_sound(array)
    if not sound.all():
        _expect_sound_rows(array, sound, counts, requirement)
    return array, counts.astype(np.int64)


def _expect_sound_rows(actions: np.ndarray, sound: np.ndarray, counts: np.ndarray, requirement: str) -> None:
    """Refuse a row that would be played and has a number that cannot be."""
    bad = ~sound.all(axis=2) & (np.arange(actions.shape[1]) < counts[:, None])
    if bad.any():
        index, row = np.argwhere(bad)[0].tolist()
        which = f"row {row} of environment {index}'s actions"
        raise ActionError(f"{which} is not {requirement}: {brief(actions[index, row])}; nothing has moved.")


def select_infos(infos: Infos, members: np.ndarray) -> Infos:
    """The infos of some environments, with all keys, also those that none of them has.

    >>> select_infos({"a": np.array([1, 2]), "_a": np.array([True, True])}, np.array([False, True]))
    {'a': array([0, 2]), '_a': array([False,  True])}
    """
    kept: Infos = {}
    for key in _keys(infos):
        mask = infos[f"_{key}"] & members
        kept[key], kept[f"_{key}"] = _blank(infos[key], mask), mask
    return kept


def merge_infos(infos: Infos, others: Infos) -> Infos:
    """The infos of both; where an environment has a key in both, that of `others`.

    >>> merge_infos({"a": np.array([1, 0]), "_a": np.array([True, False])}, {"a": np.array([0, 5]),
    ...         "_a": np.array([False, True])})
    {'a': array([1, 5]), '_a': array([ True,  True])}
    """
    both = dict(infos)
    for key in _keys(others):
        value, mask = others[key], others[f"_{key}"]
        if key in infos and f"_{key}" in infos:
            value, mask = _overlay(infos[key], value, mask), infos[f"_{key}"] | mask
        both[key], both[f"_{key}"] = value, mask
    return both


def _keys(infos: Infos) -> list[str]:
    return [key for key in infos if f"_{key}" in infos]


def _blank(value: Value, mask: np.ndarray) -> Value:
    if isinstance(value, dict):
        return select_infos(value, mask)
    if value.dtype == bool and value.ndim == 1:
        return value & mask  # a tenth of the time, in every step of SAME_STEP with an end
    blank = np.full_like(value, None) if value.dtype == object else np.zeros_like(value)
    blank[mask] = value[mask]
    return blank


def _overlay(under: Value, over: Value, mask: np.ndarray) -> Value:
    if isinstance(over, dict):
        return merge_infos(under, over)
    value = under.astype(np.result_type(under, over))
    value[mask] = over[mask]
    return value


def replace_members(space: AnySpace, batch: Value, others: Value, members: np.ndarray) -> Value:
    """A batch of values of `space` with those of some environments (bool[N]) taken from `others`.

    Arrays are written into, not copied: the copy of a large batch costs more than the few rows that are replaced.
    """

    def leaf(_: AnySpace, value: Value, other: Value) -> Value:
        if isinstance(value, np.ndarray):
            value[members] = other[members]
            return value
        return tuple(theirs if taken else ours for ours, theirs, taken in zip(value, other, members, strict=True))

    return map_parts(leaf, space, batch, others)


def copy_member(space: AnySpace, batch: Value, index: int) -> Value:
    """A copy of one environment's value out of a batch of values of `space`."""
    return map_parts(lambda _, value: copy.deepcopy(value[index]), space, batch)


def copy_members(space: AnySpace, batch: Value, indices: np.ndarray) -> list[Value]:
    """Copies of some environments' values out of a batch of values of `space`.

    >>> copy_members(spaces.Dict({"n": spaces.Discrete(9)}), {"n": np.array([3, 4, 5])}, np.array([0, 2]))
    [{'n': np.int64(3)}, {'n': np.int64(5)}]
    """
    if isinstance(batch, np.ndarray) and batch.dtype != object:
        return list(batch[indices])
    if isinstance(space, spaces.Dict):
        parts = [copy_members(part, batch[key], indices) for key, part in space.spaces.items()]
        return [dict(zip(space.spaces, values, strict=True)) for values in zip(*parts, strict=True)]
    if isinstance(space, spaces.Tuple):
        parts = [copy_members(part, value, indices) for part, value in zip(space.spaces, batch, strict=True)]
        return list(zip(*parts, strict=True))
    return [copy.deepcopy(batch[index]) for index in indices.tolist()]


def object_array(values: Mapping[int, object], num_envs: int) -> np.ndarray:
    """An object array with some environments' values, None elsewhere: arrays of any shapes stay apart."""
    array = np.empty(num_envs, object)
    for index, value in values.items():
        array[index] = value
    return array


class BatchReader:
    """Reads a value for each of N environments, and names the environment of an invalid one.

    Args:
        single: the space of one value.
        num_envs: N.
        name: what the error sentences call one value: 'action' or 'chunk'.

    Attributes:
        space: the space of N values.
    """

    def __init__(self, single: AnySpace, num_envs: int, name: str) -> None:
        self.space = batch_space(single, num_envs)
        self._single, self._num_envs, self._name = single, num_envs, name
        self._read_all = Checked(self.space, f"batch of {name}s")

    def __call__(self, values: Value, ignored: np.ndarray) -> Value:
        """A copy of N values; those of the environments in `ignored` (bool[N]) may be any of the right shape.

        Raises:
            ActionError: as `chunkenv.utils.spaces.Checked` says.
        """
        try:
            return self._read_all(values)
        except ActionError as error:
            return self._read_each(values, ignored, error)

    def _read_each(self, values: Value, ignored: np.ndarray, error: ActionError) -> Value:
        """Check one environment after another; ignored ones get padding."""
        nesting = map_parts(_expect_leading(self._num_envs, error), self._single, _arrays(self._single, values, error))
        read = padding(self.space)
        for index in np.flatnonzero(~ignored).tolist():
            read_one = Checked(self._single, f"{self._name} of environment {index}")
            value = read_one(copy_member(self._single, nesting, index))
            map_parts(_put(index), self._single, read, value)
        if not ignored.any():
            raise error
        return read


def _arrays(space: AnySpace, values: Value, error: ActionError) -> Value:
    """The values' arrays in the nesting of the space."""
    try:
        return map_parts(lambda _, value: read_array(value, "batch", "an array"), space, values)
    except (TypeError, KeyError, IndexError, ValueError):
        raise error from None


def _expect_leading(num_envs: int, error: ActionError) -> Leaf:
    def leaf(_: AnySpace, array: np.ndarray) -> np.ndarray:
        if array.shape[:1] != (num_envs,):
            raise error
        return array

    return leaf


def _put(index: int) -> Leaf:
    def leaf(_: AnySpace, batch: np.ndarray, value: np.ndarray) -> None:
        batch[index] = value

    return leaf
