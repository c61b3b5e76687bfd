import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import ChunkedExecution
from chunkenv.evaluate import episode_seed, evaluate
from chunkenv.utils.seeding import spawn
from tests.realtime.shared import DT, Listed, Numbers, Random, make_loop, same
from tests.worlds import ACTIONS, Recorder


def simulate(env, policy, seed):
    """What the steps of one episode of a `ChunkedExecution` return, as decisions of the real clock have it."""
    rng, steps, ended = spawn(seed, "policy"), [], False
    observation, _ = env.reset(seed=seed)
    while not ended:
        answer = policy.infer(observation, env.request._replace(rng=rng))
        action = env.action_space.join(answer) if policy.horizons else answer
        *step, info = env.step(action)
        observation, _, terminated, truncated = step
        steps.append([*step, info, env.undiscounted_reward])
        ended = terminated or truncated
    return steps


def compare(horizon, delays, typical=1, episodes=2, make_env=Numbers, make_policy=Random, **options):
    """The real clock has the steps, requests, draws and rows of the simulated one; `horizon` is (H, s)."""
    simulated, real, decisions = make_policy(horizon), make_policy(horizon), []
    options = {"info": "full", "delay_estimate": "last"} | options
    loop = make_loop(make_env(), real, *horizon, delays, typical_delay=typical, warm_up=0, **options)
    rows = loop.run(episodes, 3, on_decision=decisions.append)

    def make():
        return ChunkedExecution(make_env(), *horizon, latency=Listed(tuple(delays), typical), control_dt=DT, **options)

    env = make()
    steps = [step for episode in range(episodes) for step in simulate(env, simulated, episode_seed(3, episode))]
    assert len(decisions) == len(steps)
    if "max_in_flight" in options:  # what is in flight is not known under the real clock, so less is promised
        for info in [decision.info for decision in decisions] + [step[4] for step in steps]:
            del info["broken_prefix"]
        real.requests, simulated.requests = (promised_nothing(each.requests) for each in (real, simulated))
    if "observe_prefix" in options:  # decisions have the environment's observation; the policy sees what it should
        decisions = [decision._replace(observation=step[0]) for decision, step in zip(decisions, steps, strict=True)]
    for decision, step in zip(decisions, steps, strict=True):
        assert same(list(decision[2:]), step), f"{decision[2:]}\n{step}"
    assert same(real.observations, simulated.observations)
    assert same(real.requests, simulated.requests)
    assert rows == evaluate(make, make_policy(horizon), episodes, 3)
    return loop


def promised_nothing(requests):
    """Requests without what they say of rows to come."""
    return [[each.tick, each.delay_estimate, each.execution_horizon] for each in requests]


HORIZONS = st.integers(1, 8).flatmap(lambda rows: st.tuples(st.just(rows), st.integers(1, rows)))
DELAYS = st.lists(st.integers(0, 11), min_size=1, max_size=9)
OPTIONS = st.fixed_dictionaries(
    {
        "overlap": st.booleans(),
        "cold_start": st.sampled_from(["free", "charged"]),
        "underrun": st.sampled_from(["hold", "zero", "stop", [0.25]]),
        "delay_estimate": st.sampled_from(["last", "mean:2", "max:3"]),
        "discount": st.sampled_from([1.0, 0.9]),
        "typical": st.integers(0, 3),
    }
)


@pytest.mark.parametrize("info", ["basic", "actions", "full"])
def test_a_real_clock_is_a_simulated_one(info):
    loop = compare((8, 4), [2, 3, 1, 5], info=info)
    assert [row.delay_ticks for row in loop.trace if row.episode == 0] == [None, 2, 3, 1, 5]
    assert (loop.late_ticks, loop.missed_deadlines, loop.faults) == (0, 0, [])


@settings(deadline=None)
@given(HORIZONS, DELAYS, OPTIONS)
def test_a_real_clock_is_a_simulated_one_whatever_the_delays(horizon, delays, options):
    compare(horizon, delays, **options)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(HORIZONS, DELAYS, OPTIONS, st.integers(1, 30))
def test_a_real_clock_is_a_simulated_one_in_two_thousand_cases(horizon, delays, options, limit):
    compare(horizon, delays, episodes=3, make_env=lambda: Numbers(limit), **options)


class Chooser(Random):
    """Chooses horizons from 2 to 5."""

    horizons = (2, 5)


@settings(deadline=None)
@given(DELAYS, OPTIONS)
def test_a_policy_may_choose_its_horizon(delays, options):
    compare((8, (2, 5)), delays, make_policy=Chooser, **options)


@settings(deadline=None, max_examples=40)
@given(HORIZONS, DELAYS, st.integers(2, 4), OPTIONS)
def test_several_in_flight_are_as_simulated(horizon, delays, most, options):
    """But for the prefix: what is in flight is not known yet."""
    compare(horizon, delays, max_in_flight=most, **options | {"overlap": True})


def correct(observation, row, row_index, tick, rng):
    return 0.1 * rng.normal(size=1) - 0.2 * observation[1:] + 0.01 * row_index - 0.001 * tick


@settings(deadline=None, max_examples=40)
@given(HORIZONS, DELAYS, OPTIONS)
def test_corrections_are_as_simulated(horizon, delays, options):
    compare(horizon, delays, correction=correct, **options)


@settings(deadline=None, max_examples=40)
@given(HORIZONS, DELAYS, OPTIONS, st.sampled_from([True, "flat"]))
def test_a_policy_may_see_the_prefix(horizon, delays, options, mode):
    compare(horizon, delays, observe_prefix=mode, **options)


class Spaces:
    """Chunks of any space."""

    horizons = None

    def __init__(self, space, rows):
        self.space = gym.vector.utils.batch_space(space, rows)
        self.space.seed(0)

    def infer(self, observation, request):
        return self.space.sample()


@pytest.mark.parametrize("name", ACTIONS)
def test_actions_of_any_space(name):
    simulated, real = Recorder(ACTIONS[name]), Recorder(ACTIONS[name])
    loop = make_loop(real, Spaces(ACTIONS[name], 4), 4, 2, [1, 3], warm_up=0, info="actions")
    decisions = []
    rows = loop.run(1, 0, on_decision=decisions.append)
    env = ChunkedExecution(simulated, 4, 2, latency=Listed((1, 3)), control_dt=DT, info="actions")
    steps = simulate(env, Spaces(ACTIONS[name], 4), episode_seed(0, 0))
    assert same([decision.info for decision in decisions], [step[4] for step in steps])
    assert same(real.actions, simulated.actions)
    assert rows[0]["ticks"] == 30


def test_time_begins_when_the_first_chunk_is_there():
    loop = make_loop(Numbers(8, terminates=False), Random((8, 4)), 8, 4, [2])
    loop.run(1, 0)
    clock = loop._parts.time
    assert clock.now() == pytest.approx(0.3 + 8 * DT)
    assert [(row.request_tick, row.delay_ticks, row.late) for row in loop.trace] == [(0, None, 0), (4, 2, 0)]
    assert [row.latency_s for row in loop.trace] == [0.3, 1.5 * DT]


def test_the_next_episode_waits_for_what_is_under_way():
    loop = make_loop(Numbers(5, terminates=False), Random((8, 4)), 8, 4, [100])
    decisions = []
    loop.run(2, 0, on_decision=decisions.append)
    assert [(row.episode, row.request_tick, row.delay_ticks) for row in loop.trace] == [
        (0, 0, None),
        (0, 4, 100),
        (1, 0, None),
        (1, 4, 100),
    ]
    assert [decision.info["delay"] for decision in decisions] == [0, 100] * 2
    assert [decision.info["sources"].tolist() for decision in decisions if "sources" in decision.info] == []


def test_info_holds_no_time():
    decisions = []
    make_loop(Numbers(9), Random((8, 4)), 8, 4, [2]).run(1, 0, on_decision=decisions.append)
    keys = {"ticks", "discount", "delay", "underruns", "discarded", "success", "echo", "first_success"}
    assert all(set(decision.info) <= keys for decision in decisions)


def test_warm_up_comes_before_the_first_reset_and_is_in_no_trace():
    class Watched(Random):
        def infer(self, observation, request):
            events.append(("infer", request.tick, request.prefix_length, observation.shape))
            return super().infer(observation, request)

    class World(Numbers):
        def reset(self, **arguments):
            events.append("reset")
            return super().reset(**arguments)

    events = []
    loop = make_loop(World(4, terminates=False), Watched((8, 8)), 8, 8, [2], warm_up=2, max_in_flight=2)
    loop.run(2, 0)
    inferred = ("infer", 0, 0, (2,))
    assert events == [inferred] * 4 + ["reset", inferred] * 2
    assert len(loop.trace) == 2


def test_warming_up_changes_no_draw():
    found = [make_loop(Numbers(), Random((8, 4)), 8, 4, [2], warm_up=count).run(3, 0) for count in (0, 1, 5)]
    assert found[0] == found[1] == found[2]


class Tardy(Numbers):
    """Tick 3 takes two and a half periods, tick 6 half a period too long."""

    clock = None

    def step(self, action):
        result = super().step(action)
        self.clock.advance({4: 2.5, 7: 1.5}.get(self.ticks, 0.0) * DT)
        return result


def test_late_ticks_are_counted_and_not_made_up():
    env, begun = Tardy(10, terminates=False), []
    loop = make_loop(env, Random((8, 4)), 8, 4, [2])
    env.clock = clock = loop._parts.time

    class Begin(gym.Wrapper):
        def step(self, action):
            begun.append(clock.now())
            return super().step(action)

    loop._parts = loop._parts._replace(env=Begin(env))
    loop.run(1, 0)
    periods = (np.array(begun) - begun[0]) / DT
    # Tick 3 lasts from 3.0 to 5.5: tick 4 begins at once, tick 5 at its deadline; tick 6 lasts from 7.0 to 8.5.
    assert periods.tolist() == pytest.approx([0, 1, 2, 3, 5.5, 6, 7, 8.5, 9, 10])
    assert (loop.late_ticks, loop.missed_deadlines) == (2, 1)
    assert [(row.request_tick, row.delay_ticks, row.late) for row in loop.trace] == [(0, None, 0), (4, 2, 0), (8, 2, 0)]


def test_a_trace_says_how_many_ticks_were_late_meanwhile():
    env = Tardy(10, terminates=False)
    loop = make_loop(env, Random((8, 3)), 8, 3, [4])
    env.clock = loop._parts.time
    loop.run(1, 0)
    # Tick 3 lasts two and a half periods: the chunk that takes three and a half is there in tick 6.
    assert [(row.request_tick, row.delay_ticks, row.late) for row in loop.trace] == [
        (0, None, 0),
        (3, 3, 1),
        (6, 4, 1),
    ]
