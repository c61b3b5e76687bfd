"""Rows that a server streams, under the real clock: the first act before the last are there."""

import threading
import time

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.realtime import RealtimeExecution
from chunkenv.remote import PolicyServer, RemotePolicy
from tests.remote.servers import threads_left

GAP = 0.1
"""Seconds between the first rows and the others: five ticks."""


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert not threads_left(before)


class Halves:
    """Sends the prefix and four rows at once, and the others later, or fails; each chunk has another number."""

    def __init__(self, fails=False):
        self.chunks, self.fails = 0, fails

    def infer(self, observation, request):
        raise AssertionError("whole chunks are not asked for")

    def infer_stream(self, observation, request):
        self.chunks += 1
        chunk = np.full((8, 1), self.chunks / 64, np.float32)
        there = request.prefix_length + 4
        chunk[: request.prefix_length] = request.prefix
        yield chunk[:there]
        if request.tick:
            if self.fails:
                raise KeyError("no state")
            time.sleep(GAP)
        yield chunk


def connect(server):
    return RemotePolicy(server.uri, timeout=5.0, dialect="faster")


def play(policy, **options):
    decisions = []
    world = gym.make("Pendulum-v1", max_episode_steps=20)
    loop = RealtimeExecution(
        world, policy, 8, 4, control_dt=0.02, worker="thread", info="actions", stream=True, typical_delay=1, **options
    )
    rows = loop.run(episodes=2, seed=0, on_decision=decisions.append)
    return rows, loop, [decision.info for decision in decisions if decision.tick]


@pytest.mark.parametrize("in_flight", [1, 2])
def test_the_first_rows_act_before_the_last_are_there(in_flight):
    with PolicyServer(Halves(), port=0, dialect="faster") as server, connect(server) as policy:
        rows, loop, streamed = play(policy, max_in_flight=in_flight)
    assert [row["ticks"] for row in rows] == [20, 20]
    assert loop.faults == []
    early = [
        (tick, info)
        for info in streamed
        for tick, (age, row) in enumerate(info["sources"].tolist())
        if age == 0 and tick < info["row_delays"][7]
    ]
    assert early, "rows act that are there"
    assert all(row.latency_s >= GAP for row in loop.trace if row.request_tick)


def test_what_the_server_raises_in_the_middle_is_a_fault_and_its_rows_stay():
    with PolicyServer(Halves(fails=True), port=0, dialect="faster") as server, connect(server) as policy:
        rows, loop, streamed = play(policy, on_fault="underrun", first_action=[0.0])
    assert [row["ticks"] for row in rows] == [20, 20]
    assert len(loop.faults) == len(streamed) > 4
    assert all("KeyError: 'no state'" in info["fault"] for info in streamed)
    for info in streamed:
        assert info["row_delays"][:4].min() >= 0 > info["row_delays"][6:].max()
    assert any(0 in info["sources"][:, 0] for info in streamed)
