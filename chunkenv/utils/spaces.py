"""Actions and chunks of any space: checked, copied, cut into rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import le
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space, iterate

from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.utils.types import AnySpace, Value, is_box

LEAVES = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)

Leaf = Callable[..., Value]
"""A function of a leaf space and values of it."""


def chunk_space(action_space: AnySpace, prediction_horizon: int) -> AnySpace:
    """The space of `prediction_horizon` actions: gymnasium's `batch_space`, for spaces that can be checked row by row.

    Raises:
        ArgumentError: if the space has a part other than Box, Discrete, MultiDiscrete, MultiBinary, Dict and Tuple.

    >>> chunk_space(spaces.Discrete(2), 3)
    MultiDiscrete([2 2 2])
    """
    for leaf in leaves(action_space):
        _expect_known(leaf, "chunked")
    return batch_space(action_space, prediction_horizon)


def _expect_known(leaf: AnySpace, purpose: str) -> None:
    if not isinstance(leaf, LEAVES):
        raise ArgumentError(
            f"actions of {leaf} cannot be {purpose}; "
            "actions are made of Box, Discrete, MultiDiscrete, MultiBinary, Dict and Tuple spaces."
        )


def leaves(space: AnySpace) -> list[AnySpace]:
    """The parts of a nested space that are neither Dict nor Tuple."""
    if isinstance(space, spaces.Dict):
        return [leaf for part in space.spaces.values() for leaf in leaves(part)]
    if isinstance(space, spaces.Tuple):
        return [leaf for part in space.spaces for leaf in leaves(part)]
    return [space]


def map_parts(function: Leaf, space: AnySpace, *values: Value) -> Value:
    """`function(leaf space, *leaf values)` in the nesting of `space`."""
    if isinstance(space, spaces.Box):  # most are, and asking for a Dict, an abstract class, is slow
        return function(space, *values)
    if isinstance(space, spaces.Dict):
        return {key: map_parts(function, part, *(value[key] for value in values)) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        parts = (map_parts(function, *item) for item in zip(space.spaces, *values, strict=True))
        return tuple(parts)
    return function(space, *values)


def zeros(space: AnySpace) -> Value | None:
    """The zero action of a continuous space; None where a part is not a Box or zero is out of its bounds."""
    if not all(isinstance(leaf, spaces.Box) for leaf in leaves(space)):
        return None
    action = map_parts(_zeros, space)
    return action if space.contains(action) else None


def has_nan(space: AnySpace, value: Value) -> bool:
    """Whether a real number of a value of `space` is NaN; spaces that are not made of numbers have none.

    >>> has_nan(spaces.Tuple((spaces.Discrete(2), spaces.Box(0.0, 1.0, (2,)))), (1, np.array([0.5, np.nan])))
    True
    """
    if isinstance(space, spaces.Box):
        if space.dtype.kind != "f":  # pyright: ignore[reportOptionalMemberAccess]
            return False
        # Their squares' sum is NaN if and only if one of them is; a tenth of the time of isnan and any.
        squares = value.dot(value) if type(value) is np.ndarray and value.ndim == 1 else np.vdot(value, value)
        return bool(squares != squares)
    if isinstance(space, spaces.Dict):
        return any(has_nan(part, value[key]) for key, part in space.spaces.items())
    return isinstance(space, spaces.Tuple) and any(map(has_nan, space.spaces, value))


def clip(space: AnySpace, value: Value) -> Value:
    """A value of `space`, or a batch of them, with the real numbers moved within their bounds.

    >>> clip(spaces.Box(-1.0, 1.0, (2,)), np.array([0.5, 7.0], np.float32))
    array([0.5, 1. ], dtype=float32)
    """
    return map_parts(_clip_leaf, space, value)


def _clip_leaf(leaf: AnySpace, value: np.ndarray) -> np.ndarray:
    # Twice as fast as np.clip for the few numbers of a chunk.
    return np.minimum(np.maximum(value, leaf.low), leaf.high) if is_box(leaf) else value


def padding(space: AnySpace) -> Value:
    """A member of a space that stands for actions which do not exist: zeros, or the nearest values in the space.

    >>> padding(spaces.Dict({"arm": spaces.Box(1.0, 2.0, (2,)), "grips": spaces.MultiDiscrete([2, 2])}))
    {'arm': array([1., 1.], dtype=float32), 'grips': array([0, 0])}
    """
    return map_parts(_leaf_padding, space)


def _leaf_padding(leaf: AnySpace) -> np.ndarray:
    zero = _zeros(leaf)
    if isinstance(leaf, spaces.MultiBinary):
        return zero
    if isinstance(leaf, spaces.Box):
        return np.asarray(np.clip(zero, leaf.low, leaf.high))
    count = leaf.n if isinstance(leaf, spaces.Discrete) else leaf.nvec  # pyright: ignore[reportAttributeAccessIssue]
    return np.asarray(np.clip(zero, leaf.start, leaf.start + count - 1), leaf.dtype)  # pyright: ignore


def _zeros(leaf: AnySpace) -> np.ndarray:
    return np.zeros(leaf.shape or (), leaf.dtype)


class Checked:
    """A reader of the values of one space: it copies valid values and refuses others.

    A finite value outside a Box's bounds passes: environments clip, and noise must be able to reach them.

    Args:
        space: the space of the values.
        name: what the error sentences call a value: 'action' or 'chunk'.

    Raises:
        ArgumentError: if the space has a part other than Box, Discrete, MultiDiscrete, MultiBinary, Dict and Tuple.

    >>> Checked(spaces.Box(-1.0, 1.0, (2,)), "action")([0.5, 2.0])
    array([0.5, 2. ], dtype=float32)
    """

    def __init__(self, space: AnySpace, name: str) -> None:
        self.space = space
        self.name = name
        self._parts = _parts(space, name)
        self._in_range = _range_check(space)
        # Kept, because gymnasium's properties and sentences that nobody reads cost as much as the check itself.
        self._shape, self._dtype = space.shape, space.dtype
        self._expected = f"an array of shape {space.shape}"
        self._single, self._real = isinstance(space, spaces.Discrete), _is_real(space)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Pickles of earlier versions kept less."""
        self.__init__(state["space"], state["name"])

    def __call__(self, value: Value) -> Value:
        """A copy of `value` with the space's dtypes.

        Raises:
            ActionError: for a wrong structure, shape or dtype, NaN, infinity, or a discrete value out of range.
        """
        if self._parts is None:
            return self._read_array(value)
        if isinstance(self.space, spaces.Dict):
            _expect_keys(self.space, value, self.name)
            return {key: part(value[key]) for key, part in self._parts.items()}
        _expect_length(self._parts, value, self.name)
        return tuple(part(value[index]) for index, part in self._parts.items())

    def _read_array(self, value: Value) -> Value:
        space, where = self.space, self.name
        given = read_array(value, where, self._expected)
        if given.shape != self._shape:
            raise ActionError(
                f"the {where} has shape {given.shape}; expected {space.shape}, as in {brief(space, 200)}."
            )
        array = given.copy() if given.dtype == self._dtype else _convert(space, given, where)
        if self._real and np.count_nonzero(np.isfinite(array)) < array.size:
            raise ActionError(_not_finite(array, where))
        if not self._in_range(array):
            raise ActionError(_out_of_range(space, given, where))
        return array[()] if self._single else array


def read_array(value: object, name: str, expected: str) -> np.ndarray:
    """`value` as an array.

    Args:
        value: anything.
        name: what the error's sentence calls it.
        expected: what the sentence says was expected.

    Raises:
        ActionError: it is ragged, or of a library that does not hand it over: torch does not where gradients are
            wanted, in bfloat16, or from a GPU.

    >>> read_array([[1, 2], [3]], "chunk", "an array")
    Traceback (most recent call last):
    chunkenv.errors.ActionError: the chunk [[1, 2], [3]] is ragged; expected an array.
    """
    try:
        return np.asarray(value)
    except ValueError:
        raise ActionError(f"the {name} {brief(value)} is ragged; expected {expected}.") from None
    except Exception as error:
        raise ActionError(
            f"the {name} {brief(value)} cannot be read ({brief(error)}); expected {expected}: "
            "for tensors of torch give tensor.detach().float().cpu().numpy()."
        ) from error


def _parts(space: AnySpace, name: str) -> dict[str, Checked] | dict[int, Checked] | None:
    if isinstance(space, spaces.Dict):
        return {key: Checked(part, f"{name}[{key!r}]") for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return {index: Checked(part, f"{name}[{index}]") for index, part in enumerate(space.spaces)}
    _expect_known(space, "checked and copied")
    return None


def _convert(space: AnySpace, given: np.ndarray, where: str) -> np.ndarray:
    """`given` in the dtype of its space; whole numbers of any dtype, if it can hold them: JSON knows int64 only."""
    dtype = np.dtype(space.dtype)
    whole = dtype.kind in "iu" and given.dtype.kind in "iu"
    if not whole and not np.can_cast(given.dtype, dtype, "same_kind"):
        raise ActionError(f"the {where} has dtype {given.dtype}; expected {dtype}, as in {brief(space, 200)}.")
    array = given.astype(dtype)
    if whole and np.count_nonzero(array != given):
        raise ActionError(_out_of_range(space, given, where))
    return array


def _range_check(space: AnySpace) -> Callable[[np.ndarray], bool]:
    """Whether whole numbers are in their space; real ones may leave a Box, whose environment clips."""
    if _is_real(space):
        return _anything
    if isinstance(space, spaces.MultiDiscrete):
        lows, highs = space.start.ravel().tolist(), (space.start + space.nvec - 1).ravel().tolist()
        alike = len(set(lows)) == len(set(highs)) == 1  # as those of a chunk of Discrete actions
        return partial(_between, lows[0], highs[0]) if alike else partial(_all_between, lows, highs)
    return space.contains


def _anything(array: np.ndarray) -> bool:
    return True


def _is_real(space: AnySpace) -> bool:
    return isinstance(space, spaces.Box) and np.dtype(space.dtype).kind == "f"


def _all_between(lows: list[int], highs: list[int], array: np.ndarray) -> bool:
    """Twice as fast as numpy for the few numbers of a chunk, eight times as the space, and on every chunk's way."""
    values = array.ravel().tolist()
    return all(map(le, lows, values)) and all(map(le, values, highs))


def _between(low: int, high: int, array: np.ndarray) -> bool:
    """As `_all_between`, with the same bounds for all numbers: twice as fast again."""
    values = array.ravel().tolist()
    return low <= min(values) and max(values) <= high


def _out_of_range(space: AnySpace, given: np.ndarray, where: str) -> str:
    return f"the {where} {brief(given.tolist())} is out of range; expected a member of {brief(space, 200)}."


def _not_finite(array: np.ndarray, where: str) -> str:
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    return f"the {where} has the value {array[place]} at index {place}; expected finite numbers everywhere."


def _expect_keys(space: spaces.Dict, value: Value, where: str) -> None:
    if not isinstance(value, dict) or set(value) != set(space.spaces):
        got = sorted(map(str, value)) if isinstance(value, dict) else brief(value)
        raise ActionError(f"the {where} has {got}; expected a dict with the keys {sorted(space.spaces)}.")


def _expect_length(parts: dict[str, Checked] | dict[int, Checked], value: Value, where: str) -> None:
    if not isinstance(value, tuple | list) or len(value) != len(parts):
        raise ActionError(f"the {where} is {brief(value)}; expected a tuple of {len(parts)} parts.")


def split(space: AnySpace, chunk: Value) -> list[Value]:
    """The rows of a chunk of `space`, each an action."""
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return [chunk[i, ...] for i in range(len(chunk))]
    return list(chunk) if isinstance(chunk, np.ndarray) else list(iterate(space, chunk))


def cut(space: AnySpace, chunk: Value, rows: slice) -> Value:
    """A copy of some rows of a chunk, in the layout of the chunk."""
    return map_parts(lambda leaf, array: array[rows].copy(), space, chunk)
