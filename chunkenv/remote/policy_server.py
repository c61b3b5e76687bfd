"""A server of one policy, for our own client and for every client of openpi's protocol."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import http
import logging
import queue
import threading
import traceback
from collections.abc import Callable, Iterator

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request as HandshakeRequest
from websockets.http11 import Response

from chunkenv.errors import ArgumentError
from chunkenv.evaluate import check_policy
from chunkenv.remote.messages import DIALECTS, OURS, VERSION, Message
from chunkenv.remote.session import Answer, Session
from chunkenv.remote.wire import MAX_MESSAGE, pack
from chunkenv.request import Policy
from chunkenv.utils.checks import one_of, whole_number

ERROR = "Internal server error. Traceback included in previous frame."
"""The reason that openpi's server closes with, which some clients look for."""
CLOSING = 0.3
"""Seconds that a client has to say goodbye, where the server ends or has failed."""


class PolicyServer:
    """Serves a policy over WebSockets: metadata first, then a chunk for every observation.

    It answers `GET /healthz` with `OK`. What the policy raises is sent as a text with the traceback, and the connection
    is closed with code 1011, as openpi's server does; the next connection works. One inference runs at a time, in a
    thread of its own, whatever the number of clients, because policies are not made for more; all clients share the
    policy, and what it remembers. Web pages in a browser of this machine may not connect: requests with an `Origin`
    are refused.

        with PolicyServer(policy, port=0) as server:
            chunk = RemotePolicy(server.uri).infer(observation, request)

    Args:
        policy: has `infer(observation, request)`; in the dialect 'faster' also `infer_stream`, if it has it.
        host: the address to listen at; 0.0.0.0 is every network that this machine is in.
        port: of TCP; 0 takes a free one.
        dialect: 'openpi', 'roboarena' or 'faster'.
        api_key: if given, connections need the header `Authorization: Api-Key ...` with it.
        max_message: bytes of an observation that is accepted.
        observation_key: what an observation that is no dict is called in messages.
        metadata: what else is told to clients, beside `chunkenv`, the version of our part of the protocol.

    Attributes:
        messages: how many have come from clients.

    Raises:
        ArgumentError: an invalid argument.
    """

    def __init__(
        self,
        policy: Policy,
        host: str = "127.0.0.1",
        port: int = 8000,
        dialect: str = "openpi",
        *,
        api_key: str | None = None,
        max_message: int = MAX_MESSAGE,
        observation_key: str = "observation",
        metadata: Message | None = None,
    ) -> None:
        check_policy(policy)
        self._policy, self._host = policy, host
        self._port = whole_number("port", port, at_least=0, at_most=65535)
        self._dialect = one_of("dialect", dialect, DIALECTS)
        self._key = None if api_key is None else f"Api-Key {api_key}".encode()
        self._max_message = whole_number("max_message", max_message, at_least=1024)
        self._observation_key = observation_key
        self._metadata = pack({**(metadata or {}), OURS: VERSION})
        self._worker = _Worker()
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] = lambda: None
        self.messages = 0

    @property
    def uri(self) -> str:
        """Where clients find it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self._host, self._host)
        return f"ws://[{host}]:{self._port}" if ":" in host else f"ws://{host}:{self._port}"

    def serve_forever(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until Ctrl-C, which ends it at once, also in the middle of an inference.

        Args:
            ready: called when clients may connect.

        Raises:
            ArgumentError: it cannot listen there: the port is taken, or the address is not this machine's.
        """
        with self as server:
            ready()
            server.wait()

    def wait(self) -> None:
        """Wait until it has ended, which it does not by itself."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(1.0)  # a wait without an end cannot be interrupted everywhere

    def __enter__(self) -> PolicyServer:
        """Serve in a thread, until the end of the block.

        Raises:
            ArgumentError: as `serve_forever`.
        """
        begun: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(begun,), name="chunkenv-server", daemon=True)
        self._thread.start()
        error = begun.get()
        if error is not None:
            raise error
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self.wait()

    def _run(self, begun: queue.SimpleQueue[Exception | None]) -> None:
        try:
            asyncio.run(self._serve(begun))
        except Exception as error:
            begun.put(error)

    async def _serve(self, begun: queue.SimpleQueue[Exception | None]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: _call_soon(loop, ended.set)
        logger = logging.getLogger("chunkenv.remote")  # not that of websockets, which prints tracebacks of goodbyes
        logger.setLevel(logging.CRITICAL)
        try:
            server = await serve(
                self._converse,
                self._host,
                self._port,
                process_request=self._greet,
                origins=[None],
                compression=None,
                max_size=self._max_message,
                ping_timeout=None,
                close_timeout=CLOSING,
                logger=logger,
            )
        except OSError as error:
            raise ArgumentError(
                f"host={self._host!r}, port={self._port} cannot be listened at ({error.strerror or error}); choose "
                "another port, or an address of this machine."
            ) from error
        self._worker.start()
        self._port = _port_of(server)
        try:
            begun.put(None)
            await ended.wait()
        finally:
            self._worker.stop()
            server.close()

    def _greet(self, connection: ServerConnection, request: HandshakeRequest) -> Response | None:
        """Answer what is no WebSocket, and refuse clients without the key."""
        if request.path.partition("?")[0] == "/healthz":
            return connection.respond(http.HTTPStatus.OK, "OK\n")
        given = request.headers.get("Authorization", "").encode()
        if self._key is not None and not hmac.compare_digest(given, self._key):
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "This server needs a key.\n")
        return None

    async def _converse(self, connection: ServerConnection) -> None:
        """Answer the messages of one client until it goes."""
        session = Session(self._policy, self._dialect, self._observation_key)
        with contextlib.suppress(ConnectionClosed):
            await connection.send(self._metadata)
            while True:
                message = await connection.recv()
                if not await self._answer(connection, session, message):
                    return

    async def _answer(self, connection: ServerConnection, session: Session, message: bytes | str) -> bool:
        """Send the answer to a message; False if there was an error, after which the connection is closed."""
        answers: asyncio.Queue[Answer | Exception | None] = asyncio.Queue()
        self.messages += 1
        self._worker.run(session, message, answers)
        while True:
            answer = await answers.get()
            if answer is None:
                return True
            if isinstance(answer, Exception):
                await connection.send("".join(traceback.format_exception(answer)))
                await connection.close(CloseCode.INTERNAL_ERROR, ERROR)
                return False
            await connection.send(answer)


class _Worker:
    """The thread that infers. It is left alone when the server ends, for an inference cannot be interrupted."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def start(self) -> None:
        threading.Thread(target=self._work, name="chunkenv-inference", daemon=True).start()

    def stop(self) -> None:
        self._jobs.put(None)

    def run(self, session: Session, message: bytes | str, answers: asyncio.Queue[Answer | Exception | None]) -> None:
        """Answer a message: what is to be sent comes into the queue, then None, or the exception."""
        loop = asyncio.get_running_loop()

        def job() -> None:
            try:
                for answer in _answers(session, message):
                    _call_soon(loop, lambda answer=answer: answers.put_nowait(answer))
                _call_soon(loop, lambda: answers.put_nowait(None))
            except Exception as error:
                failure = error
                _call_soon(loop, lambda: answers.put_nowait(failure))

        self._jobs.put(job)

    def _work(self) -> None:
        for job in iter(self._jobs.get, None):
            job()


def _answers(session: Session, message: bytes | str) -> Iterator[Answer]:
    if isinstance(message, str):
        raise ArgumentError("the message is a text; observations are binary messages.")
    return session.answer(message)


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody listens any more
        loop.call_soon_threadsafe(function)


def _port_of(server: Server) -> int:
    return next(iter(server.sockets)).getsockname()[1]
