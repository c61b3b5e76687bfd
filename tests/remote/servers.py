"""Servers that say what a test has written down, and nothing by themselves."""

import contextlib
import socket
import threading
import time

import numpy as np
from websockets.sync.server import serve

from chunkenv.remote.wire import pack
from chunkenv.request import Request

CHUNK = np.arange(16, dtype=np.float32).reshape(8, 2)
REQUEST = Request(
    tick=12,
    prefix=CHUNK[4:6],
    prefix_length=2,
    delay_estimate=2,
    execution_horizon=4,
    left_over=CHUNK[4:],
    rng=np.random.default_rng(0),
)


def threads_left(before):
    """The threads that were not there before, and do not end in a moment."""
    deadline = time.monotonic() + 3.0
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


@contextlib.contextmanager
def scripted(converse, metadata=None, **options):
    """A server whose connections are given to `converse(connection)`, after the metadata; its URI."""

    def handle(connection):
        connection.send(pack(metadata or {}))
        converse(connection)

    quick = {"compression": None, "max_size": None, "close_timeout": 0.2, "ping_interval": None}
    with serve(handle, "127.0.0.1", 0, **quick, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def raw(talk):
    """A TCP server whose connections are given to `talk(socket)` and closed; its URI."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    talk(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def answering(*answers):
    """A conversation: each message is answered with the next of these, bytes, texts or maps; then nothing more."""
    left = list(answers)

    def converse(connection):
        for _ in connection:
            if left:
                answer = left.pop(0)
                connection.send(answer if isinstance(answer, bytes | str) else pack(answer))

    return converse
