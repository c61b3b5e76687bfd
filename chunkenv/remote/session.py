"""What a server answers to the messages of one connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from chunkenv.errors import ArgumentError, brief
from chunkenv.evaluate import reset_policy
from chunkenv.remote.messages import (
    ENDPOINT,
    OURS,
    RESET_DONE,
    Message,
    plain_request,
    read_observation,
    read_request,
)
from chunkenv.remote.wire import Tree, pack, unpack
from chunkenv.request import Chunk, Policy, Request

Answer = bytes | str


class Session:
    """One connection's conversation with a policy; it knows no sockets.

    Args:
        policy: what answers.
        dialect: 'openpi', 'roboarena' or 'faster'.
        observation_key: a message with this entry alone is an observation that is no dict.
    """

    def __init__(self, policy: Policy, dialect: str, observation_key: str) -> None:
        self._policy, self._dialect, self._observation_key = policy, dialect, observation_key
        self._inferences = 0
        self._previous: float | None = None

    def answer(self, data: bytes) -> Iterator[Answer]:
        """The messages that answer one from outside: binary ones, or a text.

        Raises:
            WireError: it cannot be read.
            ArgumentError: it is no observation, or its request is none, or the policy's answer cannot be sent.
            Exception: whatever the policy raises.
        """
        started = time.monotonic()
        message: Tree = unpack(data)
        if not isinstance(message, dict):
            raise ArgumentError(f"the message is {brief(message)}; a map with an observation was expected.")
        ours = message.pop(OURS, None)
        endpoint = self._endpoint(message, ours)
        if endpoint == "reset":
            reset_policy(self._policy)
            self._inferences = 0
            yield RESET_DONE
            return
        request = self._request(message, ours)
        self._inferences += 1
        yield from self._infer(read_observation(message, self._observation_key), request, started)
        self._previous = time.monotonic() - started

    def _endpoint(self, message: Message, ours: object) -> object:
        if isinstance(ours, dict) and ENDPOINT in ours:
            return ours[ENDPOINT]
        if self._dialect != "roboarena":
            return "infer"
        endpoint = message.pop(ENDPOINT, None)
        if endpoint not in ("infer", "reset"):
            raise ArgumentError(f"endpoint={brief(endpoint)} is unknown; send 'infer' or 'reset'.")
        return endpoint

    def _request(self, message: Message, ours: object) -> Request:
        plain = plain_request(message, self._inferences, int(getattr(self._policy, "action_size", 0)))
        return plain if ours is None else read_request(ours)

    def _infer(self, observation: Tree, request: Request, started: float) -> Iterator[Answer]:
        began = time.monotonic()
        policy: Any = self._policy
        if self._dialect == "faster" and hasattr(policy, "infer_stream"):
            chunk: Chunk = None
            sent = request.prefix_length
            for chunk in policy.infer_stream(observation, request):
                rows = np.asarray(chunk)[sent:]
                sent += len(rows)
                yield pack({"type": "partial", "actions": rows})
            answer = {"actions": chunk}
        else:
            answer = _answer(policy.infer(observation, request), request)
        timing = {"infer_ms": 1e3 * (time.monotonic() - began)}
        if self._previous is not None:
            timing["prev_total_ms"] = 1e3 * self._previous
        kind = {"type": "final"} if self._dialect == "faster" else {}
        yield pack({**kind, **answer, "server_timing": timing})


def _answer(returned: Any, request: Request) -> Message:
    """What a policy returned as a map: a chunk, or a chunk and the horizon that it chose."""
    if request.horizons is not None and isinstance(returned, tuple):
        chunk, horizon = returned
        return {"actions": _arrays(chunk), "horizon": int(horizon)}
    return {"actions": _arrays(returned)}


def _arrays(chunk: Chunk) -> Tree:
    """A chunk of any kind with arrays for leaves: lists of numbers become one."""
    if isinstance(chunk, dict):
        return {name: _arrays(part) for name, part in chunk.items()}
    return [_arrays(part) for part in chunk] if isinstance(chunk, tuple) else np.asarray(chunk)
