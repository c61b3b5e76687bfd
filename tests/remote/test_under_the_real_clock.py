"""A policy on a server under the real clock: what goes wrong there is what was asked for, and never a chunk of another
request."""

import threading
import time

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.errors import PolicyFault
from chunkenv.realtime import RealtimeExecution
from chunkenv.remote import PolicyServer, RemotePolicy, pack, unpack
from tests.remote.servers import scripted, threads_left

DT = 0.02


def make_loop(uri, **options):
    world = gym.make("Pendulum-v1", max_episode_steps=40)
    policy = RemotePolicy(uri, timeout=2.0)
    return RealtimeExecution(world, policy, 8, 4, control_dt=DT, worker="thread", info="actions", **options)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert not threads_left(before)


class Slow:
    def __init__(self):
        self.ticks = []

    def infer(self, observation, request):
        self.ticks.append(request.tick)
        time.sleep(0.03)
        return np.full((8, 1), np.sign(observation[2]), np.float32)


@pytest.mark.parametrize("in_flight", [1, 2])
def test_a_server_is_played_and_traced(in_flight):
    policy = Slow()
    with PolicyServer(policy, port=0) as server:
        loop = make_loop(server.uri, max_in_flight=in_flight)
        rows = loop.run(episodes=2, seed=0)
    assert [row["ticks"] for row in rows] == [40, 40]
    assert loop.faults == []
    assert all(row.latency_s >= 0.03 for row in loop.trace if row.latency_s is not None)
    assert max(row.delay_ticks or 0 for row in loop.trace) >= 2


def failing(answers):
    """Every fourth inference is answered with the next of these, others with a chunk."""
    count = iter(range(10**6))

    def converse(connection):
        for message in connection:
            number = next(count)
            if number % 4 == 3:
                answer = answers[number // 4 % len(answers)]
                if answer is None:
                    return
                connection.send(answer)
            else:
                state = unpack(message)["observation"]
                connection.send(pack({"actions": np.full((8, 1), np.sign(state[2]), np.float32)}))

    return converse


BAD = [
    "Traceback\nKeyError: 'state'",
    b"\xc1",
    pack({"action": 1}),
    pack({"actions": np.full((8, 1), np.nan)}),
    pack({"actions": np.zeros((7, 1), np.float32)}),
    None,
]


def test_faults_are_underruns_if_asked():
    with scripted(failing(BAD)) as uri:
        loop = make_loop(uri, on_fault="underrun", underrun="zero")
        rows = loop.run(episodes=3, seed=0)
    assert [row["ticks"] for row in rows] == [40] * 3
    assert len(loop.faults) >= 6
    assert all(isinstance(fault, PolicyFault) and fault.tick is not None for fault in loop.faults)
    said = " ".join(map(str, loop.faults))
    for words in ("KeyError: 'state'", "no msgpack", "without 'actions'", "nan", "closed the connection"):
        assert words in said, words


def test_a_fault_ends_the_run_if_asked():
    with scripted(failing(BAD)) as uri, pytest.raises(PolicyFault, match="KeyError: 'state'"):
        make_loop(uri, on_fault="raise").run(episodes=3, seed=0)
