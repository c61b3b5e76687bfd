import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import gymnasium as gym
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from chunkenv import ChunkedExecution, evaluate
from chunkenv.errors import ArgumentError, PolicyFault
from chunkenv.remote import PolicyServer, RemotePolicy, pack, unpack
from chunkenv.request import Pending
from tests.remote.servers import CHUNK, REQUEST, threads_left

STATE = np.array([0.5, 1.0])


class Echo:
    """Remembers what it was asked; its chunk tells the observation's first number."""

    def __init__(self):
        self.asked = []
        self.resets = 0

    def infer(self, observation, request):
        self.asked.append((observation, request))
        state = observation["state"] if isinstance(observation, dict) else observation
        return np.full((8, 2), state[0], np.float32)

    def reset(self):
        self.resets += 1


def talk(server, message, **options):
    with connect(server.uri, proxy=None, **options) as connection:
        metadata = unpack(connection.recv())
        connection.send(message if isinstance(message, bytes | str) else pack(message))
        answer = connection.recv(timeout=10)
        return metadata, answer if isinstance(answer, str) else unpack(answer)


def test_a_client_of_openpi_gets_metadata_then_actions_and_timing():
    policy = Echo()
    with PolicyServer(policy, port=0, metadata={"robot": "arm"}) as server:
        metadata, answer = talk(server, {"state": STATE, "prompt": "fold"})
    assert metadata == {"robot": "arm", "chunkenv": 1}
    assert answer["actions"].tolist() == [[0.5, 0.5]] * 8
    assert answer["server_timing"]["infer_ms"] >= 0.0
    ((observation, request),) = policy.asked
    assert observation["prompt"] == "fold"
    assert (request.tick, request.prefix_length, request.rng) == (0, 0, None)


def test_the_time_of_the_last_answer_is_told_with_the_next():
    with PolicyServer(Echo(), port=0) as server, connect(server.uri, proxy=None) as connection:
        connection.recv()
        timings = []
        for _ in range(2):
            connection.send(pack({"state": STATE}))
            timings.append(unpack(connection.recv())["server_timing"])
    assert set(timings[0]) == {"infer_ms"}
    assert timings[1]["prev_total_ms"] > 0.0


def test_a_message_with_the_observation_alone_is_that_observation():
    policy = Echo()
    with PolicyServer(policy, port=0) as server:
        talk(server, {"observation": STATE})
    assert policy.asked[0][0].tolist() == STATE.tolist()


def test_our_client_brings_the_whole_request():
    policy = Echo()
    request = REQUEST._replace(
        pending=(Pending(CHUNK, 3),), horizons=(2, 6), delays=(0, 2), rng=np.random.default_rng(7)
    )
    with PolicyServer(policy, port=0) as server, RemotePolicy(server.uri) as remote:
        remote.infer(STATE, request)
        remote.infer(STATE, REQUEST._replace(rng=None))
    (_, found), (_, plain) = policy.asked
    for name in ("tick", "prefix_length", "delay_estimate", "execution_horizon", "horizons", "delays"):
        assert getattr(found, name) == getattr(request, name), name
    assert found.prefix.tolist() == REQUEST.prefix.tolist()
    assert found.left_over.tolist() == REQUEST.left_over.tolist()
    assert found.pending[0].age == 3
    assert found.pending[0].chunk.tolist() == CHUNK.tolist()
    assert found.rng.random() == np.random.default_rng(np.random.default_rng(7).integers(2**63)).random()
    assert (plain.rng, plain.pending, plain.horizons, plain.delays) == (None, (), None, None)


def test_a_horizon_that_the_policy_chose_comes_back_with_the_chunk():
    class Choosing(Echo):
        def infer(self, observation, request):
            return super().infer(observation, request), np.int64(3)

    with PolicyServer(Choosing(), port=0) as server, RemotePolicy(server.uri) as remote:
        chunk, horizon = remote.infer(STATE, REQUEST._replace(horizons=(2, 6)))
    assert (chunk.shape, horizon) == ((8, 2), 3)


def test_a_reset_of_our_client_resets_the_policy():
    policy = Echo()
    with PolicyServer(policy, port=0) as server, RemotePolicy(server.uri) as remote:
        remote.reset()
        remote.infer(STATE, REQUEST)
        remote.reset()
    assert policy.resets == 2


class Pump:
    def infer(self, observation, request):
        return np.full((8, 1), np.sign(observation[2]), np.float32)


class Noisy:
    def infer(self, observation, request):
        return request.rng.normal(size=(8, 1)).astype(np.float32)


def make_env():
    return ChunkedExecution(gym.make("Pendulum-v1", max_episode_steps=40), 8, 4, latency=2, info="actions")


def test_rows_are_those_of_the_policy_itself():
    expected = evaluate(make_env, Pump(), 2, seed=3)
    with PolicyServer(Pump(), port=0) as server, RemotePolicy(server.uri) as remote:
        assert evaluate(make_env, remote, 2, seed=3) == expected


def test_the_seed_decides_what_a_policy_draws_over_there():
    with PolicyServer(Noisy(), port=0) as server, RemotePolicy(server.uri) as remote:
        first, again, other = (evaluate(make_env, remote, 1, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first[0]["return"] != other[0]["return"]


@pytest.mark.parametrize("space", ["dict", "tuple"])
def test_chunks_of_nested_spaces_come_back(space):
    parts = {"arm": np.ones((8, 2), np.float32), "grip": np.zeros(8, np.int64)}

    class Nested:
        def infer(self, observation, request):
            return parts if space == "dict" else tuple(parts.values())

    with PolicyServer(Nested(), port=0) as server, RemotePolicy(server.uri) as remote:
        chunk = remote.infer(STATE, REQUEST)
    found = chunk if space == "dict" else dict(zip(parts, chunk, strict=True))
    assert all(np.array_equal(found[name], parts[name]) for name in parts)


# RoboArena's and FASTER's


def test_roboarena_is_answered_by_endpoint():
    policy = Echo()
    with PolicyServer(policy, port=0, dialect="roboarena") as server:
        assert talk(server, {"endpoint": "reset"})[1] == "reset successful"
        assert talk(server, {"endpoint": "infer", "state": STATE})[1]["actions"].shape == (8, 2)
        assert "endpoint='jump' is unknown; send 'infer' or 'reset'." in talk(server, {"endpoint": "jump"})[1]
        assert "endpoint=None is unknown" in talk(server, {"state": STATE})[1]
        with RemotePolicy(server.uri, dialect="roboarena") as remote:
            remote.reset()
            remote.infer({"state": STATE}, REQUEST)
    assert policy.resets == 2
    assert set(policy.asked[0][0]) == {"state"}


class Streaming(Echo):
    def infer_stream(self, observation, request):
        self.asked.append((observation, request))
        for count in (3, 5, 8):
            yield CHUNK[:count]


def test_a_policy_that_streams_is_served_row_by_row():
    policy = Streaming()
    with PolicyServer(policy, port=0, dialect="faster") as server:
        with RemotePolicy(server.uri, dialect="faster") as remote:
            parts = list(remote.infer_stream({"state": STATE}, REQUEST))
        with connect(server.uri, proxy=None) as connection:
            connection.recv()
            connection.send(pack({"state": STATE, "action_prefix": CHUNK[4:6], "delay": np.array(2)}))
            frames = [unpack(connection.recv()) for _ in range(4)]
    assert [len(part) for part in parts] == [3, 5, 8, 8]
    assert [frame["type"] for frame in frames] == ["partial"] * 3 + ["final"]
    assert [len(frame["actions"]) for frame in frames] == [1, 2, 3, 8]
    assert "server_timing" in frames[-1]
    request = policy.asked[-1][1]
    assert (request.prefix_length, request.delay_estimate) == (2, 2)
    assert request.prefix.tolist() == CHUNK[4:6].tolist()


def test_a_policy_that_does_not_stream_sends_the_final_message_alone():
    with PolicyServer(Echo(), port=0, dialect="faster") as server:
        assert talk(server, {"state": STATE})[1]["type"] == "final"


@pytest.mark.parametrize(
    "message",
    [
        {"state": STATE, "action_prefix": CHUNK[:3], "delay": 2},
        {"state": STATE, "delay": 2},
        {"state": STATE, "action_prefix": [1, 2], "delay": 2},
        {"state": STATE, "action_prefix": CHUNK[:2], "delay": 2.5},
        {"state": STATE, "action_prefix": CHUNK[:2], "delay": -2},
    ],
)
def test_a_prefix_that_does_not_fit_is_refused(message):
    with PolicyServer(Streaming(), port=0, dialect="faster") as server:
        assert "ArgumentError: " in talk(server, message)[1]


# What goes wrong


class Failing(Echo):
    def infer(self, observation, request):
        if np.isnan(observation[0]):
            raise KeyError("no state")
        return super().infer(observation, request)


def test_what_the_policy_raises_is_a_text_then_code_1011_and_the_next_connection_works():
    with PolicyServer(Failing(), port=0) as server:
        with connect(server.uri, proxy=None) as connection:
            connection.recv()
            connection.send(pack({"observation": np.array([np.nan])}))
            text = connection.recv()
            with pytest.raises(ConnectionClosedError) as caught:
                connection.recv()
        assert text.startswith("Traceback (most recent call last):")
        assert text.endswith("KeyError: 'no state'\n")
        assert caught.value.rcvd.code == 1011
        with RemotePolicy(server.uri) as remote:
            with pytest.raises(PolicyFault, match="failed: KeyError: 'no state'") as fault:
                remote.infer(np.array([np.nan]), REQUEST)
            assert fault.value.tick == REQUEST.tick
            assert remote.infer(STATE, REQUEST)[0, 0] == 0.5


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("a text", "the message is a text; observations are binary messages"),
        (b"\xc1", "WireError: the message is no msgpack"),
        ([1, 2], r"the message is [1, 2]; a map with an observation was expected"),
        ({"chunkenv": 5, "observation": STATE}, "chunkenv=5 is no request"),
        ({"chunkenv": {"tick": "x"}, "observation": STATE}, "tick='x' is not a whole number"),
        ({"chunkenv": {"endpoint": "jump"}, "observation": STATE}, "is no request"),
    ],
)
def test_messages_that_cannot_be_answered_are_one_sentence(message, says):
    with PolicyServer(Echo(), port=0) as server:
        assert says in talk(server, message)[1]
        assert talk(server, {"observation": STATE})[1]["actions"].shape == (8, 2)


def test_a_chunk_that_cannot_be_sent_is_the_policys_error():
    class Objects:
        def infer(self, observation, request):
            return [[None]]

    with PolicyServer(Objects(), port=0) as server:
        assert "dtype object, which cannot be sent" in talk(server, {"observation": STATE})[1]


def test_a_message_that_is_too_large_ends_the_connection_only():
    with PolicyServer(Echo(), port=0, max_message=2048) as server:
        with pytest.raises(ConnectionClosedError):
            talk(server, {"observation": np.zeros(5000)})
        assert talk(server, {"observation": STATE})[1]["actions"].shape == (8, 2)


def test_clients_are_answered_one_after_the_other():
    under_way = []

    class Slow:
        def infer(self, observation, request):
            under_way.append(1)
            assert len(under_way) == 1
            time.sleep(0.05)
            under_way.pop()
            return CHUNK

    with PolicyServer(Slow(), port=0) as server, RemotePolicy(server.uri) as remote:
        threads = [threading.Thread(target=remote.infer, args=(STATE, REQUEST)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.messages == 4


def test_a_slow_inference_is_not_killed_by_pings():
    class Slow(Echo):
        def infer(self, observation, request):
            time.sleep(1.0)
            return super().infer(observation, request)

    with PolicyServer(Slow(), port=0) as server:
        answer = talk(server, {"observation": STATE}, ping_interval=0.1, ping_timeout=0.3)[1]
    assert answer["actions"].shape == (8, 2)


# Who may connect


def status(server, path="/healthz"):
    with urllib.request.urlopen(server.uri.replace("ws://", "http://") + path) as answer:
        return answer.status, answer.read()


@pytest.mark.parametrize("key", [None, "secret"])
def test_health_is_told_without_a_key(key):
    with PolicyServer(Echo(), port=0, api_key=key) as server:
        assert status(server) == (200, b"OK\n")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Api-Key wrong"}, {"Authorization": "secret"}])
def test_without_the_key_nobody_is_let_in(headers):
    with PolicyServer(Echo(), port=0, api_key="secret") as server:
        with pytest.raises(InvalidStatus) as caught:
            talk(server, {"observation": STATE}, additional_headers=headers)
        assert caught.value.response.status_code == 401
        with pytest.raises(PolicyFault, match="HTTP status 401; give its key as api_key"):
            RemotePolicy(server.uri).connect()
        assert RemotePolicy(server.uri, api_key="secret").infer(STATE, REQUEST).shape == (8, 2)


def test_web_pages_are_not_let_in():
    with PolicyServer(Echo(), port=0) as server:
        with pytest.raises(InvalidStatus) as caught:
            talk(server, {"observation": STATE}, origin="https://evil.example")
        assert caught.value.response.status_code == 403


def test_what_is_no_websocket_is_told_so():
    with PolicyServer(Echo(), port=0) as server, pytest.raises(urllib.error.HTTPError) as caught:
        status(server, "/")
    assert caught.value.code == 426


# Begin and end


def test_nothing_is_left_when_it_ends():
    before = set(threading.enumerate())
    with PolicyServer(Echo(), port=0) as server:
        port = int(server.uri.rpartition(":")[2])
        remote = RemotePolicy(server.uri, timeout=0.3, first_timeout=0.3)
        remote.infer(STATE, REQUEST)
        started = time.monotonic()
    assert time.monotonic() - started < 1.0
    assert not threads_left(before)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PolicyFault):
        remote.infer(STATE, REQUEST)


def test_a_port_that_is_taken_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ArgumentError, match=f"port={port} cannot be listened at .*; choose another port"):
            PolicyServer(Echo(), port=port).serve_forever()
        with pytest.raises(ArgumentError, match="cannot be listened at"), PolicyServer(Echo(), port=port):
            pass


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"policy": Echo}, "is a class; give an object of it"),
        ({"policy": 5}, "has no method infer"),
        ({"port": -1}, "port=-1 is too small"),
        ({"port": 70000}, "port=70000 is too large"),
        ({"dialect": "roborena"}, "did you mean 'roboarena'?"),
        ({"max_message": "1"}, "max_message='1' is not a whole number"),
        ({"metadata": {"a": object()}}, "cannot be sent"),
    ],
)
def test_invalid_arguments_are_one_sentence(arguments, says):
    with pytest.raises(ArgumentError, match=says):
        PolicyServer(**{"policy": Echo(), **arguments})


HANGING = """
import sys, time
from chunkenv.remote import PolicyServer

class Hanging:
    def infer(self, observation, request):
        print("asked", flush=True)
        time.sleep(60)

server = PolicyServer(Hanging(), port=0)
server.serve_forever(lambda: print(server.uri, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_in_the_middle_of_an_inference(number):
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process, connect(process.stdout.readline().strip(), proxy=None) as connection:
        connection.recv()
        connection.send(pack({"observation": STATE}))
        assert process.stdout.readline() == "asked\n"
        started = time.monotonic()
        os.kill(process.pid, number)
        process.wait(10)
        assert time.monotonic() - started < 3.0
