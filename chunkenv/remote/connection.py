"""A WebSocket connection of a client without a thread of its own: everything happens within the caller's deadline.

The protocol is that of the library `websockets`, which reads and writes bytes only; the socket is here. So there are no
keep-alive pings that kill a slow first inference, no proxy between two processes of one machine, no compression, and
no wait without an end. Pings of the server are answered whenever something is read.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event, State
from websockets.uri import parse_uri

from chunkenv.remote.address import Address

PIECE = 2**16
"""Bytes that are read or written at once."""
SHORT = 0.05
"""Seconds in which a goodbye or the answer to a ping has to go out."""
TOO_LATE = "gave no answer in time; raise the timeout, or look at the server."
T = TypeVar("T")


class BrokenConnectionError(Exception):
    """A connection that cannot go on.

    Args:
        message: what happened, after the server's name, and what to do.
        may_pass: whether another attempt might succeed: a server that is just starting.
    """

    def __init__(self, message: str, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class Connection:
    """An open connection.

    Args:
        address: of the server.
        deadline: on `time.monotonic`, by when it must be open.
        max_message: bytes of a message that is accepted.
        api_key: sent as the header `Authorization: Api-Key ...`, if there is one.

    Raises:
        BrokenConnectionError: it cannot be opened.
    """

    def __init__(self, address: Address, deadline: float, max_message: int, api_key: str | None = None) -> None:
        self._max_message = max_message
        self._protocol = ClientProtocol(parse_uri(address.uri), max_size=max_message)
        self._messages: deque[bytes | str] = deque()
        self._pieces: list[bytes] = []
        self._text = False
        self._socket = _open_socket(address, deadline)
        try:
            self._shake_hands(api_key, deadline)
        except BaseException:
            self._socket.close()
            raise

    def send(self, message: bytes, deadline: float) -> None:
        """Send a binary message.

        Raises:
            BrokenConnectionError: it is closed, or the message did not go out by the deadline.
        """
        if self._protocol.state is not State.OPEN:
            raise self._closed()
        self._protocol.send_binary(message)
        self._flush(deadline)

    def receive(self, deadline: float) -> bytes | str:
        """The next message, binary or text.

        Raises:
            BrokenConnectionError: it is closed, or nothing came by the deadline.
        """
        while not self._messages:
            if self._protocol.state is not State.OPEN:
                raise self._closed()
            self._read(deadline)
        return self._messages.popleft()

    def is_ready(self) -> bool:
        """Whether it is open and nothing has come that nobody asked for; without waiting.

        What is found was sent after the last answer: pings, which are answered, a goodbye, or a message that belongs
        to no request of ours.
        """
        with contextlib.suppress(BrokenConnectionError):
            while self._protocol.state is State.OPEN and not self._messages:
                self._socket.settimeout(0.0)
                try:
                    data = self._socket.recv(PIECE)
                except (BlockingIOError, ssl.SSLWantReadError):
                    return not self._pieces
                except OSError:
                    return False
                self._take(data, time.monotonic() + SHORT)
        return False

    def abort(self) -> None:
        """Wake up another thread that waits here: it gets an error at once."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # not that of TLS, which the other thread is using

    def close(self) -> None:
        """Say goodbye, if that needs no waiting, and close."""
        with contextlib.suppress(BrokenConnectionError):
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
                self._flush(time.monotonic() + SHORT)
        self._socket.close()

    def __del__(self) -> None:
        """Policies of studies are dropped, not closed."""
        if hasattr(self, "_socket"):
            self._socket.close()

    def _shake_hands(self, api_key: str | None, deadline: float) -> None:
        request = self._protocol.connect()
        if api_key is not None:
            request.headers["Authorization"] = f"Api-Key {api_key}"
        self._protocol.send_request(request)
        self._flush(deadline)
        while self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None:
            self._read(deadline)
        if self._protocol.handshake_exc is not None:
            raise _refused(self._protocol.handshake_exc)

    def _read(self, deadline: float) -> None:
        """Read what is there, or wait for it."""
        self._take(self._in_time(lambda: self._socket.recv(PIECE), deadline), deadline)

    def _take(self, data: bytes, deadline: float) -> None:
        """What was read becomes messages; none is the end."""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        events = self._protocol.events_received()
        with contextlib.suppress(BrokenConnectionError):  # the answer to a goodbye or to a ping need not arrive
            self._flush(deadline)
        self._collect(events)

    def _collect(self, events: Iterable[Event]) -> None:
        """Put the frames of a message together."""
        for event in events:
            if not isinstance(event, Frame) or event.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                continue
            if event.opcode is not Opcode.CONT:
                self._text = event.opcode is Opcode.TEXT
            self._pieces.append(bytes(event.data))
            if event.fin:
                whole = b"".join(self._pieces)
                self._messages.append(whole.decode(errors="replace") if self._text else whole)
                self._pieces.clear()

    def _flush(self, deadline: float) -> None:
        for data in self._protocol.data_to_send():
            left = memoryview(data)
            while left:
                piece = left[:PIECE]
                left = left[self._in_time(lambda piece=piece: self._socket.send(piece), deadline) :]

    def _in_time(self, act: Callable[[], T], deadline: float) -> T:
        """What reading or writing returns, if the socket lets it in time."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise BrokenConnectionError(TOO_LATE)
        self._socket.settimeout(left)
        try:
            return act()
        except TimeoutError:
            raise BrokenConnectionError(TOO_LATE) from None
        except OSError as error:
            raise BrokenConnectionError(f"dropped the connection ({_reason(error)}).", may_pass=True) from error

    def _closed(self) -> BrokenConnectionError:
        """Why it is closed, in words."""
        ours, theirs = self._protocol.close_sent, self._protocol.close_rcvd
        if theirs is not None:
            why = f": {theirs.reason}" if theirs.reason else ""
            return BrokenConnectionError(f"closed the connection with code {theirs.code}{why}.")
        if ours is not None and ours.code == CloseCode.MESSAGE_TOO_BIG:
            return BrokenConnectionError(f"sent a message of more than max_message={self._max_message} bytes.")
        if ours is not None and ours.code != CloseCode.NORMAL_CLOSURE:
            return BrokenConnectionError(f"does not keep to the WebSocket protocol ({self._protocol.parser_exc}).")
        return BrokenConnectionError("dropped the connection.", may_pass=True)


def _open_socket(address: Address, deadline: float) -> socket.socket:
    """A connected socket to the first of the host's addresses that answers, with TLS if the address says so."""
    found: OSError = OSError("the name has no address")
    try:
        places = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BrokenConnectionError(f"cannot be found ({_reason(error)}); check the address.", may_pass=True) from error
    for family, kind, protocol, _, place in places:
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(max(deadline - time.monotonic(), 1e-3))
            connected.connect(place)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a chunk must not wait for more to send
            return _secure(connected, address.host) if address.secure else connected
        except OSError as error:
            connected.close()
            found = error
    raise BrokenConnectionError(f"cannot be reached ({_reason(found)}); start it, or check the address.", may_pass=True)


def _secure(connected: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(connected, server_hostname=host)


def _reason(error: OSError) -> str:
    return "timed out" if isinstance(error, TimeoutError) else str(error.strerror or error)


def _refused(error: Exception) -> BrokenConnectionError:
    """Why a handshake failed."""
    if not isinstance(error, InvalidStatus):
        just_starting = isinstance(error.__cause__, EOFError)
        return BrokenConnectionError(f"does not speak WebSocket ({error}); check the address.", just_starting)
    status = error.response.status_code
    if status in (401, 403):
        return BrokenConnectionError(f"refused the connection with HTTP status {status}; give its key as api_key.")
    what = "check the address and its path"
    return BrokenConnectionError(f"refused the connection with HTTP status {status}; {what}.", may_pass=status >= 500)
