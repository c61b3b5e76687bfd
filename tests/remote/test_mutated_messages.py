"""Messages that were damaged on the way: nothing crashes, nothing hangs, on either side."""

import random
import threading
import time

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from chunkenv.errors import PolicyFault
from chunkenv.remote import PolicyServer, RemotePolicy, WireError, pack, unpack
from chunkenv.remote.messages import write_request
from tests.remote.servers import CHUNK, REQUEST, scripted, threads_left

MUTANTS = 500
STATE = np.array([0.5, 1.0])
ANSWER = pack({"actions": CHUNK, "server_timing": {"infer_ms": np.float32(1.0)}, "names": ["a", None, True, 2.5]})
QUESTION = pack({"observation": STATE, "chunkenv": write_request(REQUEST)})


def mutants(message, seed=0, count=MUTANTS):
    """The message with bytes changed, left out, put in, doubled, or cut off."""
    rng = random.Random(seed)
    for _ in range(count):
        data = bytearray(message)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(data))
            kind = rng.randrange(5)
            if kind == 0:
                data[place] = rng.randrange(256)
            elif kind == 1:
                data[place] ^= 1 << rng.randrange(8)
            elif kind == 2:
                del data[place : place + rng.randint(1, 8)]
            elif kind == 3:
                data[place:place] = rng.randbytes(rng.randint(1, 8))
            else:
                data[place:place] = data[: rng.randrange(len(data))]
            data = data or bytearray(b"\0")
        if rng.random() < 0.1:
            del data[rng.randrange(len(data)) :]
        yield bytes(data)


@pytest.mark.parametrize("message", [ANSWER, QUESTION])
def test_the_reader_reads_or_refuses(message):
    refused = 0
    for data in mutants(message, count=5000):
        try:
            unpack(data)
        except WireError:
            refused += 1
    assert 2500 < refused < 5000


def test_the_client_gets_a_chunk_or_a_fault():
    left = list(mutants(ANSWER))

    def converse(connection):
        for _ in connection:
            connection.send(left.pop())

    chunks = faults = 0
    before = set(threading.enumerate())
    started = time.monotonic()
    with scripted(converse) as uri, RemotePolicy(uri, timeout=5.0) as policy:
        for _ in range(MUTANTS):
            try:
                chunk = policy.infer(STATE, REQUEST)
                assert np.isfinite(chunk).all()
                chunks += 1
            except PolicyFault as fault:
                faults += fault.tick == REQUEST.tick
    assert chunks + faults == MUTANTS
    assert min(chunks, faults) > 0
    assert not threads_left(before)
    assert time.monotonic() - started < 60


def test_the_client_lives_through_broken_frames():
    """The bytes of the WebSocket itself are changed, not those of the message in it."""
    frame = b"\x82" + bytes([len(pack({"actions": CHUNK[:1]}))]) + pack({"actions": CHUNK[:1]})
    left = list(mutants(frame, seed=1))

    def converse(connection):
        connection.recv()
        connection.socket.sendall(left.pop())
        connection.socket.close()

    ended = 0
    with scripted(converse) as uri, RemotePolicy(uri, timeout=2.0, first_timeout=2.0) as policy:
        for _ in range(MUTANTS):
            try:
                ended += np.isfinite(policy.infer(STATE, REQUEST)).all()
            except PolicyFault as fault:
                ended += fault.tick == REQUEST.tick
    assert ended == MUTANTS


class Echo:
    def infer(self, observation, request):
        return np.asarray(observation) * np.ones((8, 2))


def test_the_server_answers_or_says_why_and_goes_on():
    answers = errors = 0
    with PolicyServer(Echo(), port=0) as server:
        for data in mutants(QUESTION, seed=2):
            with connect(server.uri, proxy=None) as connection:
                connection.recv()
                connection.send(data)
                try:
                    answer = connection.recv(timeout=10)
                except ConnectionClosed:
                    pytest.fail("the server hung up without a word")
            answers += isinstance(answer, bytes)
            errors += isinstance(answer, str)
        with RemotePolicy(server.uri) as policy:
            assert policy.infer(STATE, REQUEST).shape == (8, 2)
    assert answers + errors == MUTANTS
    assert min(answers, errors) > 0
