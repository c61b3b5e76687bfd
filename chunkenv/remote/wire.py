"""Bytes of messages: msgpack with arrays, as the servers of openpi and those that follow it write and read them.

An array is the map `{b"__ndarray__": True, b"data": bytes, b"dtype": "<f4", b"shape": [8, 2]}`, a number of numpy
`{b"__npgeneric__": True, b"data": 0.5, b"dtype": "<f4"}`. What comes from outside is read with suspicion: openpi's own
decoder takes any dtype, and an array of objects made of foreign bytes crashes the interpreter. Here nothing but bools,
whole and real numbers is read, sizes are checked before they are used, and every array is a copy that may be written.
Nothing is ever unpickled.

Source of the format: https://github.com/Physical-Intelligence/openpi, `packages/openpi-client`, at 15a9616.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgpack
import numpy as np

from chunkenv.errors import ArgumentError, ChunkenvError, brief

Tree: TypeAlias = Any
"""Maps and lists of arrays, numbers, texts, bytes and None."""

MAX_MESSAGE = 64 * 2**20
"""Bytes of a message that is accepted, if nothing else is said: 64 MiB."""
MAX_PARTS = 16_384
"""Entries of a list or of a map, and lists and maps of a message: arrays count as one, however large."""
MAX_DEPTH = 16
MAX_DIMENSIONS = 8
DTYPE = re.compile(r"[<>|=]?(?:b1|[iu][1248]|f[248])")
ARRAY, NUMBER = b"__ndarray__", b"__npgeneric__"


class WireError(ChunkenvError, ValueError):
    """Bytes from outside that are no message."""


def pack(message: Tree) -> bytes:
    """A message as bytes.

    Args:
        message: maps and lists of arrays, numbers, texts, bytes and None; tuples become lists.

    Raises:
        ArgumentError: something else is in it, or an array of anything but bools, whole and real numbers.

    >>> unpack(pack({"state": np.array([1.5, 2.0], np.float32), "prompt": "fold"}))
    {'state': array([1.5, 2. ], dtype=float32), 'prompt': 'fold'}
    """
    try:
        return bytes(msgpack.packb(message, default=_plain) or b"")
    except ArgumentError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(
            f"{brief(message)} cannot be sent ({error}); send arrays, numbers, texts, bytes, maps and lists."
        ) from error


def _plain(value: object) -> object:
    """What msgpack does not know: arrays, numbers of numpy, and whatever can be read as an array."""
    if isinstance(value, np.ndarray):
        _expect_numbers(value.dtype, value)
        return {ARRAY: True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}
    if isinstance(value, np.generic):
        _expect_numbers(value.dtype, value)
        return {NUMBER: True, b"data": value.item(), b"dtype": value.dtype.str}
    if hasattr(value, "__array__"):
        return _plain(np.asarray(value))
    raise TypeError(f"{type(value).__name__} is none of these")


def _expect_numbers(dtype: np.dtype, value: object) -> None:
    if not DTYPE.fullmatch(dtype.str):
        raise ArgumentError(
            f"{brief(value)} has dtype {dtype}, which cannot be sent; send bools, whole numbers or real numbers of at "
            "most 64 bits."
        )


def unpack(data: bytes) -> Tree:
    r"""The message in some bytes from outside.

    Args:
        data: at most as many as the connection lets through.

    Raises:
        WireError: they are no message: no msgpack, too deep, too many parts, or an array that is not what it says.
            Nothing else is ever raised, whatever the bytes are.

    >>> unpack(b"\x81\xa1a")
    Traceback (most recent call last):
    chunkenv.remote.wire.WireError: the message is no msgpack (Unpack failed: incomplete input).
    """
    reader = _Reader()
    try:
        hooks = {"object_hook": reader.read_map, "list_hook": reader.read_list}
        tree = msgpack.unpackb(data, max_array_len=MAX_PARTS, max_map_len=MAX_PARTS, **hooks)
    except WireError:
        raise
    except Exception as error:  # msgpack's own errors have no common class
        raise WireError(f"the message is no msgpack ({brief(str(error))[1:-1]}).") from error
    _check(tree, MAX_DEPTH)
    return tree


class _Reader:
    """Makes arrays of maps that are arrays, and counts the parts of one message, so that no bytes can make millions."""

    def __init__(self) -> None:
        self._parts = 0

    def read_map(self, found: dict[Any, Any]) -> Tree:
        self._count(len(found))
        if ARRAY in found:
            return _read_array(found)
        return _read_number(found) if NUMBER in found else found

    def read_list(self, found: list[Any]) -> list[Any]:
        self._count(len(found))
        return found

    def _count(self, entries: int) -> None:
        self._parts += 1 + entries
        if self._parts > MAX_PARTS:
            raise WireError(f"the message has more than {MAX_PARTS} parts; send numbers as arrays.")


def _read_dtype(found: Mapping[Any, Any]) -> np.dtype:
    text = found.get(b"dtype")
    if not isinstance(text, str) or not DTYPE.fullmatch(text):
        raise WireError(f"an array has dtype {brief(text)}; bools, whole and real numbers are read, such as '<f4'.")
    return np.dtype(text)


def _read_array(found: Mapping[Any, Any]) -> np.ndarray:
    dtype, shape, data = _read_dtype(found), found.get(b"shape"), found.get(b"data")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
        raise WireError(f"an array has shape {brief(shape)}; at most {MAX_DIMENSIONS} lengths of at least 0 are read.")
    if not isinstance(data, bytes) or len(data) != math.prod(shape) * dtype.itemsize:
        size = len(data) if isinstance(data, bytes) else "no"
        raise WireError(f"an array of shape {brief(shape)} and dtype {dtype} has {size} bytes, which does not fit.")
    flat = np.frombuffer(data, np.uint8) != 0 if dtype.kind == "b" else np.frombuffer(data, dtype)
    try:
        return flat.astype(dtype.newbyteorder("=")).reshape(shape)
    except ValueError as error:  # no elements, but lengths that no array can have
        raise WireError(f"an array has shape {brief(shape)}, which is too large.") from error


def _read_number(found: Mapping[Any, Any]) -> np.generic:
    dtype, value = _read_dtype(found), found.get(b"data")
    if not isinstance(value, bool | int | float):
        raise WireError(f"a number is {brief(value)}; a bool, a whole or a real number was expected.")
    try:
        with np.errstate(over="ignore"):  # what is too large for a real number is infinite
            return dtype.newbyteorder("=").type(value)
    except (OverflowError, ValueError) as error:
        raise WireError(f"the number {brief(value)} does not fit its dtype {dtype}.") from error


def _check(tree: Tree, depth: int) -> None:
    """Refuse what no message holds: timestamps and other extensions, and towers of lists."""
    if depth < 0:
        raise WireError(f"the message is nested more than {MAX_DEPTH} deep.")
    if isinstance(tree, dict | list):
        for part in tree.values() if isinstance(tree, dict) else tree:
            _check(part, depth - 1)
    elif not isinstance(tree, bool | int | float | str | bytes | np.ndarray | np.generic | None):
        raise WireError(f"the message holds {brief(tree)}, which is neither a number nor a text nor an array.")
