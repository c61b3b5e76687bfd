"""What the grader and a student's process say to each other, as bytes: JSON, and arrays raw behind it.

A frame is its length (8 bytes), the length of its JSON (4 bytes), the JSON, then the bytes of all arrays in the order
in which the JSON names them. In the JSON a list is `[...]`, a tuple `{"tuple": [...]}`, a dict
`{"pairs": [[key, value], ...]}` and an array `{"array": [dtype, shape]}`. The grader reads frames with suspicion:
nothing is unpickled, sizes are checked before they are used, and only bools, whole and real numbers stand in arrays.
"""

from __future__ import annotations

import json
import math
import re
import struct
from typing import IO, Any, TypeAlias

import numpy as np

from chunkenv.errors import ChunkenvError, brief

Value: TypeAlias = Any
"""None, bool, int, float, str, lists, dicts with such keys, and NumPy arrays. Students get tuples as they were
sent, because `(0, 1) == [0, 1]` is false in their code; the grader reads those of students as lists."""

MAX_FRAME = 16 * 2**20
"""Bytes of a whole frame."""
MAX_JSON = 2**20
MAX_DEPTH = 16
MAX_DIMENSIONS = 8
DTYPE = re.compile(r"[<|](?:b1|[iu][1248]|f[248])")
LENGTH, JSON_LENGTH = struct.Struct(">Q"), struct.Struct(">I")


class FrameError(ChunkenvError, ValueError):
    """A value that cannot be sent, or bytes that are no frame: one sentence."""


def write_frame(value: Value) -> bytes:
    """A value as a frame.

    Raises:
        FrameError: it holds something else than `Value` says, or is too large or too deep.

    >>> read_frame(write_frame({"rows": np.arange(3), 2: (1.5, None)})[8:])
    {'rows': array([0, 1, 2]), 2: [1.5, None]}
    """
    arrays: list[bytes] = []
    try:
        text = json.dumps(_plain(value, arrays, MAX_DEPTH)).encode()
    except (ValueError, UnicodeError) as error:
        raise error if isinstance(error, FrameError) else FrameError(f"a value cannot be sent ({error}).") from error
    body = b"".join((JSON_LENGTH.pack(len(text)), text, *arrays))
    if len(body) > MAX_FRAME or len(text) > MAX_JSON:
        raise FrameError(f"a value of {len(body):,} bytes was to be sent; at most {MAX_FRAME:,} are, in arrays.")
    return LENGTH.pack(len(body)) + body


def receive_frame(stream: IO[bytes], tuples: type = list) -> Value:
    """The next value of a stream.

    Args:
        stream: of frames.
        tuples: as `read_frame` has it.

    Raises:
        EOFError: the stream has ended.
        FrameError: what comes is no frame.
    """
    (length,) = LENGTH.unpack(_exactly(stream, LENGTH.size))
    if length > MAX_FRAME:
        raise FrameError(f"a message of {length:,} bytes was announced; at most {MAX_FRAME:,} are read.")
    return read_frame(_exactly(stream, length), tuples)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the stream has ended")
    return data


def read_frame(body: bytes, tuples: type = list) -> Value:
    r"""The value of a frame, without the length in front.

    Args:
        body: the frame.
        tuples: what a tuple becomes, `list` or `tuple`.

    Raises:
        FrameError: it is none; nothing else is ever raised, whatever the bytes are.

    >>> read_frame(b"\0\0\0\1{")
    Traceback (most recent call last):
    chunkenv.course.grading.framing.FrameError: a message is no JSON.
    """
    size = JSON_LENGTH.unpack(body[: JSON_LENGTH.size])[0] if len(body) >= JSON_LENGTH.size else MAX_JSON + 1
    if size > min(MAX_JSON, len(body) - JSON_LENGTH.size):
        raise FrameError(f"a message has JSON of {size:,} bytes, which is too long.")
    start = JSON_LENGTH.size + size
    try:
        tree = json.loads(body[JSON_LENGTH.size : start])
    except (ValueError, RecursionError) as error:
        raise FrameError("a message is no JSON.") from error
    return _FrameReader(body, start, tuples).value(tree, MAX_DEPTH)


def _plain(value: Value, arrays: list[bytes], depth: int) -> Value:
    """A value in the form of JSON; the bytes of its arrays are added to `arrays`."""
    if depth < 0:
        raise FrameError(f"a value is nested more than {MAX_DEPTH} deep, which cannot be sent.")
    if isinstance(value, np.ndarray):
        return _plain_array(value, arrays)
    if isinstance(value, np.generic):
        return _plain(value.item(), arrays, depth)
    if isinstance(value, list | tuple):
        parts = [_plain(each, arrays, depth - 1) for each in value]
        return {"tuple": parts} if isinstance(value, tuple) else parts
    if isinstance(value, dict):
        return {"pairs": [[_plain(part, arrays, depth - 1) for part in pair] for pair in value.items()]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise FrameError(
        f"a value of type {type(value).__name__} cannot be sent; return numbers, texts, None, lists, dicts or arrays."
    )


def _plain_array(array: np.ndarray, arrays: list[bytes]) -> Value:
    array = array.astype(array.dtype.newbyteorder("<"))
    if not DTYPE.fullmatch(array.dtype.str):
        raise FrameError(f"an array of dtype {array.dtype} cannot be sent; make one of bools or numbers.")
    arrays.append(array.tobytes())
    return {"array": [array.dtype.str, list(array.shape)]}


class _FrameReader:
    """Reads the value that some JSON describes, with the arrays behind it."""

    def __init__(self, body: bytes, start: int, tuples: type) -> None:
        self._body, self._start, self._tuples = body, start, tuples

    def value(self, tree: Value, depth: int) -> Value:
        if depth < 0:
            raise FrameError(f"a message is nested more than {MAX_DEPTH} deep.")
        if isinstance(tree, list):
            return [self.value(each, depth - 1) for each in tree]
        if not isinstance(tree, dict):
            return tree
        if set(tree) == {"array"}:
            return self._array(tree["array"])
        if set(tree) == {"tuple"} and isinstance(tree["tuple"], list):
            return self._tuples(self.value(tree["tuple"], depth))
        return self._dict(tree, depth)

    def _dict(self, tree: dict[str, Value], depth: int) -> dict[Value, Value]:
        pairs = tree.get("pairs")
        if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise FrameError(f"a message holds {brief(tree)}, which is neither a dict, a tuple nor an array.")
        if any(isinstance(key, list | dict) for key, _ in pairs):
            raise FrameError("a message holds a dict with a list or a dict as a key.")
        return {key: self.value(value, depth - 1) for key, value in pairs}

    def _array(self, told: Value) -> np.ndarray:
        if not _is_array(told):
            raise FrameError(f"a message holds an array {brief(told)}, which none is.")
        dtype, shape = told
        end = self._start + math.prod(shape) * np.dtype(dtype).itemsize
        if end > len(self._body):
            raise FrameError(f"a message holds an array of shape {brief(shape)} without its bytes.")
        data, self._start = self._body[self._start : end], end
        flat = np.frombuffer(data, np.uint8) != 0 if dtype[1] == "b" else np.frombuffer(data, dtype)
        return _reshaped(flat.astype(np.dtype(dtype).newbyteorder("=")), shape)


def _is_array(told: Value) -> bool:
    """Whether this is a dtype and a shape that are read."""
    if not isinstance(told, list) or len(told) != 2:
        return False
    dtype, shape = told
    if not isinstance(dtype, str) or not DTYPE.fullmatch(dtype):
        return False
    return (
        isinstance(shape, list)
        and len(shape) <= MAX_DIMENSIONS
        and all(type(each) is int and each >= 0 for each in shape)
    )


def _reshaped(flat: np.ndarray, shape: list[int]) -> np.ndarray:
    try:
        return flat.reshape(shape)
    except (ValueError, OverflowError) as error:  # no elements, but lengths that no array can have
        raise FrameError(f"a message holds an array of shape {brief(shape)}, which is too large.") from error
