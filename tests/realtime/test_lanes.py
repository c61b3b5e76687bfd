"""Policies in real threads and processes: what they answer, how they fail, and that nothing of them is left."""

import multiprocessing
import os
import threading
import time

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution
from chunkenv.errors import ArgumentError, PolicyFault
from chunkenv.evaluate import evaluate
from chunkenv.realtime import RealtimeExecution
from chunkenv.strategies import Cost
from tests.realtime.shared import Numbers, Random

WORKERS = ("thread", "process")
DT = 0.02


class Script:
    """Does one thing in each inference, then the last of them for ever; it moves to the module's own process."""

    def __init__(self, *acts, rows=4):
        self.acts, self.rows, self.count = acts, rows, 0

    def infer(self, observation, request):
        act = self.acts[min(self.count, len(self.acts) - 1)]
        self.count += 1
        return act(np.full((self.rows, 1), 0.5, np.float32))


def answer(chunk):
    return chunk


def hang(chunk):
    time.sleep(600)


def die(chunk):
    os._exit(7)


def kill(chunk):
    os.kill(os.getpid(), 9)


def raise_error(chunk):
    raise ZeroDivisionError("division by zero")


def give_a_lock(chunk):
    return threading.Lock()


@pytest.fixture(autouse=True)
def nothing_is_left():
    """No process stays, and no thread but those that hang and cannot be ended; what was there before does not count."""
    before = {*policy_threads(), *multiprocessing.active_children()}
    yield
    deadline = time.monotonic() + 5.0
    while leftovers() - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not leftovers() - before


def leftovers():
    return {*multiprocessing.active_children(), *policy_threads()} - HANGING


def policy_threads():
    return [thread for thread in threading.enumerate() if thread.name == "chunkenv-policy"]


HANGING = set()


def make_loop(policy, worker, env=None, **options):
    env = Numbers(12, terminates=False) if env is None else env
    return RealtimeExecution(env, policy, 4, 2, **{"control_dt": DT, "worker": worker} | options)


@pytest.mark.parametrize("worker", WORKERS)
def test_rows_are_those_of_a_simulation_whatever_the_delays(worker):
    """A world in which no delay matters: constant actions."""

    def make_env():
        return ChunkedExecution(Numbers(), 4, 2, latency=1, info="actions", control_dt=DT)

    expected = evaluate(make_env, Script(answer), 2, seed=5)
    loop = make_loop(Script(answer), worker, Numbers(), info="actions", timeout=60)
    rows = loop.run(2, 5)
    for row, other in zip(rows, expected, strict=True):
        assert row.keys() == other.keys()
        assert (row["seed"], row["ticks"]) == (other["seed"], other["ticks"])
        if not row["underruns"]:
            assert row["return"] == other["return"]
    assert {row.episode for row in loop.trace} == {0, 1}
    assert all(row.latency_s > 0 for row in loop.trace)
    assert [row.delay_ticks is None for row in loop.trace] == [row.request_tick == 0 for row in loop.trace]


@pytest.mark.parametrize("worker", WORKERS)
def test_draws_of_an_episode_do_not_depend_on_the_worker(worker):
    """The first chunk of a free start has no delay: what it does is the same on every clock."""
    decisions, simulated = [], []
    loop = RealtimeExecution(
        Numbers(4, terminates=False), Random((4, 4)), 4, 4, control_dt=DT, worker=worker, info="actions", timeout=60
    )
    loop.run(3, 1, on_decision=decisions.append)

    class Watched(ChunkedExecution):
        def step(self, action):
            result = super().step(action)
            simulated.append(result[-1]["actions"])
            return result

    evaluate(lambda: Watched(Numbers(4, terminates=False), 4, 4, info="actions"), Random((4, 4)), 3, seed=1)
    assert [decision.info["actions"] for decision in decisions] == simulated


@pytest.mark.parametrize("worker", WORKERS)
def test_a_policy_is_made_where_it_runs(worker):
    def make():
        policy, place = Script(answer), (os.getpid(), threading.current_thread().name)
        policy.infer = lambda observation, request: np.full((4, 1), place == here, np.float32)
        return policy

    here = os.getpid(), threading.current_thread().name
    decisions = []
    make_loop(make, worker, info="actions", timeout=60).run(1, 0, on_decision=decisions.append)
    assert decisions[0].info["actions"][0] == 0.0


@pytest.mark.parametrize("worker", WORKERS)
def test_what_a_policy_does_wrong_is_raised(worker):
    with pytest.raises(PolicyFault, match=r"Script raised ZeroDivisionError: division by zero; .* of tick 2") as caught:
        make_loop(Script(answer, answer, raise_error), worker, timeout=60).run(1, 0)
    assert caught.value.tick == 2
    assert "in raise_error" in caught.value.__notes__[0]


@pytest.mark.parametrize("worker", WORKERS)
def test_what_cannot_be_sent_back_is_a_fault(worker):
    with pytest.raises(PolicyFault, match="returned a chunk that cannot be executed"):
        make_loop(Script(answer, give_a_lock), worker, timeout=60).run(1, 0)


@pytest.mark.parametrize("act", [die, kill])
def test_a_process_that_dies_is_a_fault_and_is_started_anew(act):
    how = {die: "its process ended with exit code 7", kill: "its process was killed by SIGKILL; if memory was short"}
    with pytest.raises(PolicyFault, match=how[act]):
        make_loop(Script(answer, act), "process", timeout=60).run(1, 0)
    loop = make_loop(Script(answer, answer, act), "process", on_fault="underrun", timeout=60)
    loop.run(1, 0)
    assert how[act] in str(loop.faults[0])


def test_a_process_that_hangs_is_ended():
    before = time.monotonic()
    with pytest.raises(PolicyFault, match=r"did not answer within 0.5 seconds; this was the request of tick 0"):
        make_loop(Script(answer, hang), "process", timeout=0.5).run(1, 0)
    assert time.monotonic() - before < 60


@pytest.mark.slow
def test_a_process_that_hangs_is_replaced_and_the_episode_goes_on():
    loop = make_loop(
        Script(answer, answer, hang), "process", Numbers(300, terminates=False), on_fault="underrun", timeout=0.5
    )
    (row,) = loop.run(1, 0)
    assert row["ticks"] == 300
    assert row["underruns"] > 20
    assert loop.trace[-1].request_tick > loop.faults[0].tick, "the new process has answered"


def test_a_thread_that_hangs_is_left_to_itself():
    release = threading.Event()

    def wait(chunk):
        HANGING.add(threading.current_thread())
        release.wait(60)
        return chunk

    loop = make_loop(Script(answer, answer, wait, answer), "thread", on_fault="underrun", timeout=0.3)
    rows = loop.run(2, 0)
    assert [row["ticks"] for row in rows] == [12, 12]
    assert len(loop.faults) == 1
    (thread,) = HANGING
    release.set()
    thread.join(10)
    assert not thread.is_alive(), "once it goes on it ends, because nobody listens"
    HANGING.clear()


@pytest.mark.slow
def test_several_processes_infer_at_once():
    class Slow:
        def infer(self, observation, request):
            time.sleep(0.15)
            return np.full((16, 1), os.getpid() % 1000 / 1000, np.float32)

    decisions = []
    loop = RealtimeExecution(
        Numbers(60, terminates=False),
        Slow(),
        16,
        4,
        control_dt=DT,
        worker="process",
        max_in_flight=2,
        typical_delay=8,
        info="actions",
        timeout=60,
    )
    (row,) = loop.run(1, 0, on_decision=decisions.append)
    assert row["ticks"] == 60
    assert len({float(action[0]) for decision in decisions for action in decision.info["actions"]}) == 2
    assert max(decision.info["in_flight"] for decision in decisions) >= 1
    assert row["decisions"] > 60 / 8, "one after the other there were fewer"


@pytest.mark.parametrize("worker", WORKERS)
def test_a_policy_that_is_shared_is_reset_once_for_an_episode(worker):
    class Counting(Script):
        resets = 0

        def reset(self):
            Counting.resets += 1

        def infer(self, observation, request):
            return np.full((4, 1), Counting.resets / 10, np.float32)

    decisions = []
    loop = make_loop(Counting(answer), worker, max_in_flight=2, info="actions", timeout=60)
    loop.run(3, 0, on_decision=decisions.append)
    resets = {(each.episode, round(10 * float(each.info["actions"][0][0]))) for each in decisions}
    assert resets == {(0, 1), (1, 2), (2, 3)}


class Varying(Script):
    """Its first inference of an episode costs 10 evaluations, each later one 3; warming up is none."""

    cost = Cost(0, 0, None)

    def infer(self, observation, request):
        self.cost = Cost(3 if request.tick else 10, 0, None)
        return super().infer(observation, request)


@pytest.mark.parametrize("make", [lambda: Varying(answer), lambda: lambda: Varying(answer)], ids=["given", "made"])
@pytest.mark.parametrize("worker", WORKERS)
def test_what_decisions_cost_is_counted_where_the_policy_runs(worker, make):
    rows = make_loop(make(), worker, timeout=60).run(2, 0)
    assert [row["denoiser_evaluations"] for row in rows] == [10 + 3 * (row["decisions"] - 1) for row in rows]
    assert "denoiser_evaluations" not in make_loop(Script(answer), worker, timeout=60).run(1, 0)[0]


def test_what_a_client_of_a_server_says_of_it_is_said_once():
    class Client:
        def infer(self, observation, request):
            raise PolicyFault("the server at localhost:8000 has gone.")

    with pytest.raises(PolicyFault, match=r"^the server at localhost:8000 has gone; this was an inference to warm up"):
        make_loop(Client(), "thread").run(1, 0)


def test_a_policy_that_cannot_be_sent():
    policy = Script(answer)
    policy.lock = threading.Lock()
    with pytest.raises(ArgumentError, match=r"the policy cannot be sent to a process .*: give a function without"):
        make_loop(policy, "process").run(1, 0)


@pytest.mark.parametrize("worker", WORKERS)
def test_a_policy_that_cannot_be_made(worker):
    def make():
        raise OSError("no weights")

    with pytest.raises(PolicyFault, match="the policy cannot be made: OSError: no weights"):
        make_loop(make, worker).run(1, 0)


@pytest.mark.parametrize("worker", WORKERS)
def test_a_policy_that_is_made_too_slowly(worker):
    def make():
        if worker == "thread":
            HANGING.add(threading.current_thread())
        time.sleep(3)
        return Script(answer)

    with pytest.raises(PolicyFault, match=r"the policy was not made within 0.5 seconds; give a longer start_timeout"):
        make_loop(make, worker, start_timeout=0.5).run(1, 0)
    for thread in HANGING:
        thread.join(10)
    HANGING.clear()


def test_a_warm_up_that_hangs():
    with pytest.raises(PolicyFault, match="did not answer within 3 seconds; this was an inference to warm up"):
        make_loop(Script(hang), "process", start_timeout=3).run(1, 0)


def test_an_environment_that_raises_leaves_nothing():
    class Raising(gym.Wrapper):
        def step(self, action):
            raise RuntimeError("bump")

    with pytest.raises(RuntimeError, match="bump"):
        make_loop(Script(answer), "process", Raising(Numbers())).run(1, 0)
