"""A policy in another process, reached over a WebSocket."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from chunkenv.errors import ArgumentError, PolicyFault, brief
from chunkenv.remote.address import read_address
from chunkenv.remote.connection import BrokenConnectionError, Connection
from chunkenv.remote.messages import (
    DIALECTS,
    ENDPOINT,
    OURS,
    RESET_DONE,
    Message,
    observation_message,
    prefix_message,
    write_request,
)
from chunkenv.remote.replies import ReplyError, Rows, read_chunk, read_horizon, read_map, read_rows
from chunkenv.remote.wire import MAX_MESSAGE, WireError, pack, unpack
from chunkenv.request import Chunk, Request
from chunkenv.utils.checks import one_of, real_number, whole_number
from chunkenv.utils.spaces import Checked
from chunkenv.utils.types import AnySpace, Observation

PAUSES = (0.1, 2.0)
"""Seconds before the second attempt to connect, and at most before any: each is twice the one before."""


class Line(NamedTuple):
    """A connection with what the server said when it was opened."""

    connection: Connection
    metadata: Message

    @property
    def is_ours(self) -> bool:
        """Whether a server of this package is at the other end."""
        return OURS in self.metadata


class RemotePolicy:
    """A policy that asks a server for every chunk: that of openpi, and those that speak as it does.

    Whatever goes wrong is a `chunkenv.errors.PolicyFault` with the tick of the request, within the timeout: no server,
    no answer, a dropped connection, the server's own error (a text; its traceback is a note), bytes that are no
    message, no actions, actions of another shape, NaN, and an answer that comes after a `reset()`. The connection is
    then given up, and the next inference opens a new one: an old answer is never taken for that of a later request.

    It connects when it is first used, so that it can be sent to other processes. Several threads may infer at once:
    each has its own connection, as several inferences in flight need it. It has no threads of its own.

    Args:
        uri: ws://HOST:PORT/PATH, or with wss, http or https.
        timeout: seconds that an inference may take, connecting included.
        max_message: bytes of an answer that is accepted.
        dialect: 'openpi', 'roboarena' or 'faster': see `chunkenv.remote.messages`.
        first_timeout: seconds that the first answer may take instead: servers are started, and compile then.
        api_key: sent as `Authorization: Api-Key ...`.
        hosts: other machines that may be connected to, by their names; without it this machine only.
        chunk_space: what chunks must be a member of, `env.chunk_space`: other shapes are faults then. Without it only
            finite numbers in rows are asked for, and the environment refuses other shapes.
        observation_key: what an observation that is no dict is called in the message.
        actions_key: what the chunk is called in the answer.

    Raises:
        ArgumentError: an invalid argument, or the address of another machine that is not in `hosts`.

    >>> policy = RemotePolicy("ws://127.0.0.1:8000/pi0", timeout=0.5, dialect="openpi")
    >>> policy.uri, policy.dialect
    ('ws://127.0.0.1:8000/pi0', 'openpi')
    >>> RemotePolicy("ws://robot.lab:8000")
    Traceback (most recent call last):
    chunkenv.errors.ArgumentError: uri='ws://robot.lab:8000' is another machine; to send observations there and act on \
its answers, name it: hosts=('robot.lab',).
    """

    def __init__(
        self,
        uri: str,
        timeout: float = 10.0,
        max_message: int = MAX_MESSAGE,
        dialect: str = "openpi",
        *,
        first_timeout: float = 120.0,
        api_key: str | None = None,
        hosts: Collection[str] = (),
        chunk_space: AnySpace | None = None,
        observation_key: str = "observation",
        actions_key: str = "actions",
    ) -> None:
        self._address = read_address(uri, hosts)
        self.timeout = _seconds("timeout", timeout)
        self._first_timeout = max(self.timeout, _seconds("first_timeout", first_timeout))
        self._max_message = whole_number("max_message", max_message, at_least=1024)
        self.dialect = one_of("dialect", dialect, DIALECTS)
        self._api_key = _read_key(api_key)
        self._check = None if chunk_space is None else Checked(chunk_space, "chunk")
        self._observation_key, self._actions_key = str(observation_key), str(actions_key)
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._free: list[Line] = []
        self._busy: list[Connection] = []
        self._episode = 0
        self._answered = False

    def __getstate__(self) -> dict[str, Any]:
        """Without connections: a copy opens its own."""
        left_out = ("_lock", "_free", "_busy", "_episode", "_answered")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    @property
    def uri(self) -> str:
        """Where the server is."""
        return self._address.uri

    def connect(self) -> Message:
        """Connect, if need be, and return the metadata that the server sent.

        Raises:
            PolicyFault: there is no server that answers in time.
        """
        with self._exchange(None) as (line, _):
            return line.metadata

    def infer(self, observation: Observation, request: Request) -> Chunk:
        """The chunk that the server answers, [H, ...].

        Raises:
            PolicyFault: as the class says; with the dialect 'faster' also where the server stopped before the last row.
            ArgumentError: an observation that cannot be sent.
        """
        *_, last = self._infer_stream(observation, request)
        if last.missing:
            raise self._fault(
                f"stopped after {len(last.chunk)} of {len(last.chunk) + last.missing} rows; use infer_stream, or "
                "have it finish its chunks.",
                request.tick,
            )
        return (last.chunk, last.horizon) if request.horizons is not None and last.horizon else last.chunk

    def infer_stream(self, observation: Observation, request: Request) -> Iterator[Chunk]:
        """The rows of the chunk that are there by now, [n, ...], again whenever the server has sent more.

        n never falls; what comes last is all that comes. Row i is always meant for tick `request.tick + i`: the rows of
        the prefix, which the server does not send again, stand in front. Servers of other dialects send a whole chunk
        once. A stream that is not read to its end closes its connection.

        Raises:
            PolicyFault: as the class says, also after some rows.
            ArgumentError: an observation that cannot be sent.
        """
        for rows in self._infer_stream(observation, request):
            yield rows.chunk

    def reset(self) -> None:
        """Begin an episode: an inference that is under way in another thread fails at once, and its answer is dropped.

        Servers of this package and of RoboArena are told; openpi's have nothing to forget.

        Raises:
            PolicyFault: the server cannot be reached, or its reset failed.
        """
        with self._lock:
            self._episode += 1
            for connection in self._busy:
                connection.abort()
        with self._exchange(None) as (line, deadline):
            message = {ENDPOINT: "reset"} if self.dialect == "roboarena" else {OURS: {ENDPOINT: "reset"}}
            if line.is_ours or self.dialect == "roboarena":
                line.connection.send(pack(message), deadline)
                _expect_reset(line.connection.receive(deadline))

    def close(self) -> None:
        """Close all connections; an inference under way fails. The next one opens a new connection."""
        with self._lock:
            for connection in self._busy:
                connection.abort()
            while self._free:
                self._free.pop().connection.close()

    def __enter__(self) -> RemotePolicy:
        """Itself; `close()` is called at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemotePolicy({self.uri!r}, timeout={self.timeout:g}, dialect={self.dialect!r})"

    def _infer_stream(self, observation: Observation, request: Request) -> Iterator[Rows]:
        with self._exchange(request.tick) as (line, deadline):
            line.connection.send(pack(self._message(observation, request, line.is_ours)), deadline)
            if self.dialect == "faster":
                yield from self._read_stream(line.connection, request, deadline)
            else:
                yield self._read_reply(line.connection, deadline)
            self._answered = True

    def _message(self, observation: Observation, request: Request, is_ours: bool) -> Message:
        message = observation_message(observation, self._observation_key, self.dialect)
        if self.dialect == "roboarena":
            message[ENDPOINT] = "infer"
        if self.dialect == "faster":
            message |= prefix_message(request)
        return message | ({OURS: write_request(request)} if is_ours else {})

    def _read_reply(self, connection: Connection, deadline: float) -> Rows:
        reply = _receive(connection, deadline)
        if self.dialect == "roboarena" and isinstance(reply, np.ndarray):  # as its first servers answer
            return Rows(read_chunk(reply, self._check))
        found = read_map(reply, self._actions_key)
        return Rows(read_chunk(found[self._actions_key], self._check), read_horizon(found))

    def _read_stream(self, connection: Connection, request: Request, deadline: float) -> Iterator[Rows]:
        """Rows as they come. A server that stops early sends rows that it has not finished with the final message."""
        there = np.asarray(request.prefix)[: request.prefix_length]
        parts = 0
        while True:
            found = read_map(_receive(connection, deadline), self._actions_key)
            if found.get("type") != "partial":
                break
            rows = read_rows(found[self._actions_key], self._check)
            there = np.concatenate([there, rows]) if len(there) else rows
            parts += 1
            yield Rows(there.copy())
        whole = read_chunk(found[self._actions_key], self._check)
        if len(there) > len(whole):
            raise ReplyError(f"sent {len(there)} rows in parts, but its chunk has {len(whole)}.")
        yield Rows(there.copy(), missing=len(whole) - len(there)) if parts else Rows(whole)

    @contextlib.contextmanager
    def _exchange(self, tick: int | None) -> Iterator[tuple[Line, float]]:
        """A connection for one request, and the deadline for its answer; a fault closes it, success keeps it."""
        episode = self._episode
        seconds = self.timeout if self._answered else self._first_timeout
        deadline = time.monotonic() + seconds
        line: Line | None = None
        kept = False
        try:
            line = self._take(deadline, episode)
            yield line, deadline
            kept = self._give_back(line, episode)
            if not kept:
                raise BrokenConnectionError(RESET)
        except (BrokenConnectionError, ReplyError) as error:
            fault = self._fault(str(error) if self._episode == episode else RESET, tick)
            for note in getattr(error, "__notes__", ()):
                fault.add_note(note)
            raise fault from error
        finally:
            if line is not None and not kept:
                self._drop(line)

    def _fault(self, what: str, tick: int | None) -> PolicyFault:
        return PolicyFault(f"the policy server at {self.uri} {what}", tick)

    def _take(self, deadline: float, episode: int) -> Line:
        """A connection that nobody else uses."""
        while self._free:
            with self._lock:
                line = self._free.pop() if self._free else None
            if line is not None and line.connection.is_ready():
                return self._occupy(line, episode)
            if line is not None:
                line.connection.close()
        return self._occupy(self._open(deadline, episode), episode)

    def _occupy(self, line: Line, episode: int) -> Line:
        with self._lock:
            if self._episode == episode:
                self._busy.append(line.connection)
                return line
        line.connection.close()
        raise BrokenConnectionError(RESET)

    def _open(self, deadline: float, episode: int) -> Line:
        """A new connection; while the server does not answer yet it is tried again, less and less often."""
        pause, longest = PAUSES
        while True:
            try:
                return self._connect(deadline)
            except BrokenConnectionError as error:
                if not error.may_pass or time.monotonic() + pause >= deadline or self._episode != episode:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, longest)

    def _connect(self, deadline: float) -> Line:
        connection = Connection(self._address, deadline, self._max_message, self._api_key)
        try:
            metadata = _receive(connection, deadline)
            if not isinstance(metadata, dict):
                raise ReplyError(f"sent {brief(metadata)} first; a map of metadata was expected.")
        except BaseException:
            connection.close()
            raise
        return Line(connection, metadata)

    def _give_back(self, line: Line, episode: int) -> bool:
        """Keep a connection for the next request, unless the episode is another one by now."""
        with self._lock:
            if self._episode != episode:
                return False
            self._busy.remove(line.connection)
            self._free.append(line)
            return True

    def _drop(self, line: Line) -> None:
        with self._lock:
            self._busy.remove(line.connection)
        line.connection.close()


RESET = "was asked for a chunk of an episode that is over; its answer is dropped."


def _receive(connection: Connection, deadline: float) -> Any:
    """The next message; a text is the server's own error."""
    message = connection.receive(deadline)
    if isinstance(message, str):
        raise _server_error(message)
    try:
        return unpack(message)
    except WireError as error:
        raise ReplyError(f"sent what cannot be read: {error}") from error


def _expect_reset(answer: bytes | str) -> None:
    if answer == RESET_DONE:
        return
    if isinstance(answer, str):
        raise _server_error(answer)
    raise ReplyError(f"answered a reset with {brief(answer)}; {RESET_DONE!r} was expected.")


def _server_error(text: str) -> ReplyError:
    """What a server that raised sent: the last line of its traceback, and all of it as a note."""
    lines = text.strip().splitlines() or ["an empty text"]
    error = ReplyError(f"failed: {brief(lines[-1].strip(), 200)[1:-1]}")
    error.add_note(f"The server wrote:\n{text}")
    return error


def _seconds(name: str, value: float) -> float:
    seconds = real_number(name, value, at_least=0.0)
    if not 0.0 < seconds <= threading.TIMEOUT_MAX:
        raise ArgumentError(f"{name}={value!r} is no time to wait; give seconds of more than 0, such as 10.0.")
    return seconds


def _read_key(api_key: object) -> str | None:
    if api_key is None:
        return None
    if not isinstance(api_key, str) or not api_key.isascii() or not api_key.isprintable() or not api_key.strip():
        raise ArgumentError("api_key is no key (it is not shown here); give a text of one line, in ASCII.")
    return api_key
