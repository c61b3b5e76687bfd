import itertools
import math

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.errors import EnvironmentFault, PolicyFault
from chunkenv.evaluate import episode_seed
from chunkenv.realtime import ManualClock, RealtimeExecution, ScriptedWorker
from tests.realtime.shared import DT, Numbers, Random, make_loop, seconds_of


class Failing(Random):
    """Does something else than a policy should in some of its inferences; `fails` says in which, and what."""

    def __init__(self, horizon, fails):
        super().__init__(horizon)
        self.fails, self.count = fails, itertools.count()

    def infer(self, observation, request):
        chunk = super().infer(observation, request)
        fail = self.fails.get(next(self.count))
        return chunk if fail is None else fail(chunk)


def raise_error(chunk):
    raise ZeroDivisionError("division by zero")


WRONG = {
    "raises": (raise_error, "Failing raised ZeroDivisionError: division by zero"),
    "NaN": (
        lambda chunk: chunk * np.nan,
        r"Failing.infer returned a chunk that .* has the value nan at index \(0, 0\)",
    ),
    "another H": (lambda chunk: chunk[:3], r"Failing.infer returned a chunk that .* has shape \(3, 1\)"),
    "another A": (lambda chunk: np.zeros((8, 2)), r"the chunk has shape \(8, 2\); expected \(8, 1\)"),
    "nothing": (lambda chunk: None, "cannot be executed"),
    "text": (lambda chunk: "left", "cannot be executed"),
}


def run_failing(fails, episodes=1, limit=17, delays=(2,), **options):
    decisions = []
    policy = Failing((8, 4), fails)
    loop = make_loop(Numbers(limit, terminates=False), policy, 8, 4, delays, warm_up=0, info="actions", **options)
    rows = loop.run(episodes, 0, on_decision=decisions.append)
    return rows, loop, decisions


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_is_raised_with_its_tick(case):
    fail, sentence = WRONG[case]
    with pytest.raises(PolicyFault, match=f"{sentence}.*; this was the request of tick 8") as caught:
        run_failing({2: fail})
    assert caught.value.tick == 8
    assert "policy_host.py" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("case", WRONG)
def test_the_robot_goes_on_without_a_chunk(case):
    fail, _ = WRONG[case]
    (row,), loop, decisions = run_failing({1: fail}, on_fault="underrun")
    assert (row["ticks"], row["decisions"], row["underruns"]) == (17, 5, 2)
    assert [decision.info["delay"] for decision in decisions] == [0, 2, 2, 2, 2]
    faulty = decisions[1].info
    assert faulty["sources"].tolist() == [[1, 4], [1, 5], [1, 6], [1, 7]], "the rows that are left run"
    assert (faulty["underruns"], faulty["discarded"]) == (0, 0)
    after = decisions[2].info
    assert after["sources"].tolist() == [[-1, -1], [-1, -1], [0, 2], [0, 3]]
    assert after["actions"][0] == after["actions"][1] == faulty["actions"][-1], "held"
    assert [fault.tick for fault in loop.faults] == [4]
    assert faulty["fault"] == str(loop.faults[0])
    assert [row.request_tick for row in loop.trace] == [0, 8, 12, 16]
    assert [decision.tick for decision in decisions if "fault" in decision.info] == [4]


@pytest.mark.parametrize("case", WRONG)
def test_the_episode_ends(case):
    rows, loop, decisions = run_failing({1: WRONG[case][0]}, episodes=2, on_fault="end")
    assert [row["ticks"] for row in rows] == [6, 17]
    ends = [(each.terminated, each.truncated) for each in decisions if each.episode == 0]
    assert ends == [(False, False), (False, True)]
    assert decisions[1].info["ticks"] == 2, "control learns of it in tick 6, which is not played"
    assert (decisions[1].info["discount"], decisions[1].info["discarded"]) == (1.0, 0)
    assert len(loop.faults) == 1


def test_a_free_start_without_a_chunk_begins_with_underruns():
    _, loop, decisions = run_failing({0: raise_error}, on_fault="underrun")
    assert decisions[0].info["sources"].tolist() == [[-1, -1]] * 4
    assert decisions[0].info["actions"][0] == 0.0
    assert decisions[1].info["sources"].tolist() == [[-1, -1]] * 2 + [[0, 2], [0, 3]]
    assert [(row.request_tick, row.delay_ticks) for row in loop.trace] == [(4, 2), (8, 2), (12, 2), (16, 2)]


def test_a_free_start_without_a_chunk_ends_the_episode_before_it_begins():
    (row,), _, (decision,) = run_failing({0: raise_error}, on_fault="end")
    assert (row["ticks"], row["decisions"], decision.truncated, decision.info["ticks"]) == (0, 1, True, 0)


@pytest.mark.parametrize("cold_start", ["free", "charged"])
@pytest.mark.parametrize("overlap", [True, False])
def test_a_policy_that_always_fails_ends_nothing_but_acts_never(overlap, cold_start):
    fails = dict.fromkeys(range(1000), raise_error)
    (row,), loop, _ = run_failing(fails, on_fault="underrun", overlap=overlap, cold_start=cold_start)
    assert (row["ticks"], row["underruns"]) == (17, 17)
    assert len(loop.faults) == row["decisions"]
    assert loop.trace == []


def test_underruns_of_faults_may_stop_the_episode():
    (row,), _, decisions = run_failing({1: raise_error}, on_fault="underrun", underrun="stop")
    assert (row["ticks"], row["underruns"]) == (8, 1)
    assert decisions[-1].truncated


def test_a_reset_that_raises_is_the_fault_of_the_first_request():
    class Stubborn(Random):
        def reset(self):
            raise RuntimeError("no")

    with pytest.raises(PolicyFault, match="Stubborn raised RuntimeError: no; this was the request of tick 0"):
        make_loop(Numbers(), Stubborn((8, 4)), 8, 4, warm_up=0).run(1, 0)


def hanging(hangs, timeout=0.25):
    """Inferences take two ticks; those of the numbers in `hangs` never come."""
    clock = ManualClock()
    worker = ScriptedWorker(clock, lambda each: math.inf if each.number in hangs else seconds_of(2 * (each.number > 0)))
    return {"clock": clock, "worker": worker, "timeout": timeout}


def test_a_hang_is_a_fault_when_its_time_is_over():
    with pytest.raises(PolicyFault, match=r"did not answer within 0.25 seconds; this was the request of tick 8"):
        run_failing({}, **hanging({2}))


def test_a_robot_goes_on_after_a_hang():
    (row,), loop, decisions = run_failing({}, on_fault="underrun", **hanging({1}))
    # The request of tick 4 is given up in tick 12, eight periods later.
    assert [(each.tick, each.info["delay"], each.info["underruns"]) for each in decisions] == [
        (0, 0, 0),
        (4, 8, 4),
        (12, 2, 2),
        (16, 2, 0),
    ]
    assert row["ticks"] == 17
    assert [fault.tick for fault in loop.faults] == [4]


def test_a_hang_of_the_first_inference_ends_the_wait():
    with pytest.raises(PolicyFault, match=r"did not answer within 0.25 seconds; this was the request of tick 0"):
        run_failing({}, **hanging({0}))


def test_a_hang_at_the_end_of_an_episode_holds_up_nothing_for_long():
    rows, loop, decisions = run_failing({}, episodes=2, limit=6, on_fault="end", **hanging({1}))
    assert [row["ticks"] for row in rows] == [6, 6]
    assert [(fault.tick, each.info["delay"]) for fault, each in zip(loop.faults, decisions[1::2], strict=True)] == [
        (4, 8),
        (4, 8),
    ]


class Deaf(ScriptedWorker):
    """Inferences that were given up come all the same, as those of a thread would that nobody can end."""

    late = 0

    def forget(self, inference):
        ((_, answer),) = self._under_way
        assert answer.inference == inference
        self._under_way = [(self._clock.now() + 3 * DT, answer)]
        Deaf.late += 1


def test_a_chunk_that_comes_in_the_next_episode_does_not_act():
    clock = ManualClock()
    script = {1: 2.0}
    worker = Deaf(clock, lambda each: script.get(each.number, 0.0) if each.episode == 0 else seconds_of(2))
    policy, decisions = Random((8, 4)), []
    loop = RealtimeExecution(
        Numbers(6, terminates=False),
        policy,
        8,
        4,
        control_dt=DT,
        clock=clock,
        worker=worker,
        timeout=0.25,
        on_fault="underrun",
        info="actions",
        warm_up=0,
    )
    loop.run(2, 0, on_decision=decisions.append)
    assert Deaf.late == 1
    assert [fault.tick for fault in loop.faults] == [4]
    alone = []
    make_loop(Numbers(6, terminates=False), Random((8, 4)), 8, 4, [2], warm_up=0, info="actions").run(
        2, 0, on_decision=alone.append
    )
    second = [decision.info["actions"] for decision in decisions if decision.episode == 1]
    assert second == [decision.info["actions"] for decision in alone if decision.episode == 1]


def test_a_chunk_that_comes_after_the_end_is_in_the_trace_and_nowhere_else():
    (row,), loop, decisions = run_failing({}, limit=5, delays=(6,))
    assert row["ticks"] == 5
    assert loop.trace[-1][:2] == (0, 4)
    assert (loop.trace[-1].delay_ticks, decisions[-1].info["delay"]) == (6, 6)
    assert decisions[-1].info["sources"].tolist() == [[1, 4]]


def test_a_policy_that_cannot_be_made():
    def make():
        raise OSError("no weights")

    with pytest.raises(PolicyFault, match="the policy cannot be made: OSError: no weights"):
        make_loop(Numbers(), make, 8, 4).run(1, 0)


def test_a_policy_that_fails_to_warm_up():
    with pytest.raises(PolicyFault, match="ZeroDivisionError: division by zero; this was an inference to warm up"):
        make_loop(Numbers(), Failing((8, 4), {0: raise_error}), 8, 4).run(1, 0)


def test_a_policy_made_where_it_runs_is_the_same():
    made = make_loop(Numbers(), lambda: Random((8, 4)), 8, 4).run(2, 0)
    assert made == make_loop(Numbers(), Random((8, 4)), 8, 4).run(2, 0)
    assert [row["seed"] for row in made] == [episode_seed(0, 0), episode_seed(0, 1)]


class Broken(Numbers):
    """Tick 5 returns NaN."""

    def __init__(self, what):
        super().__init__(12, terminates=False)
        self.what = what

    def step(self, action):
        observation, reward, *rest = super().step(action)
        broken = self.ticks == 6
        observation = observation * np.nan if broken and self.what == "observation" else observation
        return observation, np.nan if broken and self.what == "reward" else reward, *rest


def test_rewards_that_are_no_numbers():
    with pytest.raises(EnvironmentFault, match=r"returned the rewards \[nan\] from tick 5 on"):
        make_loop(Broken("reward"), Random((8, 4)), 8, 4).run(1, 0)


def test_observations_that_are_no_numbers():
    with pytest.raises(EnvironmentFault, match="returned an observation with NaN at tick 6"):
        make_loop(Broken("observation"), Random((8, 6)), 8, 6).run(1, 0)


def test_an_environment_that_raises_keeps_the_trace():
    class Raising(Numbers):
        def step(self, action):
            if self.ticks == 9:
                raise RuntimeError("bump")
            return super().step(action)

    loop = make_loop(Raising(), Random((8, 4)), 8, 4, [2])
    with pytest.raises(RuntimeError, match="bump") as caught:
        loop.run(1, 0)
    assert "at tick 9" in caught.value.__notes__[0]
    assert [row.request_tick for row in loop.trace] == [0, 4]


def cartpole(**options):
    return RealtimeExecution(gym.make("CartPole-v1"), Random((8, 4)), 8, 4, **{"control_dt": 0.02} | options)


BAD = {
    "no environment": (
        lambda: RealtimeExecution("CartPole-v1", Random((8, 4)), 8, control_dt=0.1),
        "RealtimeExecution",
    ),
    "an environment that chunks": (
        lambda: RealtimeExecution(
            gym.make("chunkenv/kinetix-catapult-v0", prediction_horizon=8), Random((8, 4)), 8, control_dt=0.1
        ),
        "executes chunks already, in simulated time; give the environment inside",
    ),
    "no policy": (
        lambda: RealtimeExecution(gym.make("CartPole-v1"), 3, 8, control_dt=0.1),
        r"policy=3 has no method infer\(observation, request\), and is no function that makes a policy",
    ),
    "a class": (
        lambda: RealtimeExecution(gym.make("CartPole-v1"), Random, 8, control_dt=0.1),
        r"policy=Random is a class; give an object of it",
    ),
    "no period": (lambda: cartpole(control_dt=0), "control_dt=0 is too small; give seconds, more than 0"),
    "a period that is none": (lambda: cartpole(control_dt="fast"), "control_dt='fast' is not a finite number"),
    "an unknown worker": (lambda: cartpole(worker="treads"), "worker='treads' is unknown; did you mean 'thread'"),
    "no worker": (lambda: cartpole(worker=7), "worker=7 cannot infer; choose 'process' or 'thread'"),
    "an oracle": (lambda: cartpole(delay_estimate="oracle"), "delay_estimate='oracle' cannot be: nobody knows"),
    "no estimate": (lambda: cartpole(delay_estimate="median"), "delay_estimate='median' is unknown"),
    "for ever": (lambda: cartpole(timeout=math.inf), "timeout=inf is not a finite number"),
    "no time": (lambda: cartpole(timeout=0.0), "timeout=0.0 is too small"),
    "no time to start": (lambda: cartpole(start_timeout=-1), "start_timeout=-1 is not a finite number of at least 0"),
    "a cold start": (lambda: cartpole(cold_start="warm"), "cold_start='warm' is unknown"),
    "half a warm-up": (lambda: cartpole(warm_up=0.5), "warm_up=0.5 is not a whole number"),
    "what to do on a fault": (lambda: cartpole(on_fault="stop"), "on_fault='stop' is unknown"),
    "nothing to hold": (lambda: cartpole(on_fault="underrun"), "underrun='hold' has nothing to hold before the first"),
    "info": (lambda: cartpole(info="all"), "info='all' is unknown"),
    "discount": (lambda: cartpole(discount=2), "discount=2 is not a finite number from 0 to 1"),
    "typical delay": (lambda: cartpole(typical_delay=-1), "typical_delay=-1 is too small"),
    "pending chunks": (
        lambda: cartpole(observe_prefix=True, max_in_flight=2),
        "observe_prefix=True shows the chunks in flight, which nobody knows yet",
    ),
    "a prefix somehow": (lambda: cartpole(observe_prefix="long"), "observe_prefix='long' is unknown"),
    "corrected words": (
        lambda: cartpole(correction=len),
        r"correction= adds to real numbers, but actions are Discrete",
    ),
    "no episodes": (lambda: cartpole().run(0, 0), "episodes=0 is too small"),
    "no seed": (lambda: cartpole().run(1, None), "seed=None is not a whole number"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    call, sentence = BAD[case]
    with pytest.raises(ValueError, match=sentence):
        call()
