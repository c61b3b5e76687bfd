"""What a policy is asked: how long it will think, when to be asked again; and what its inferences are charged."""

import itertools
import time

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ChunkedExecution, ChunkedVectorExecution, FlattenChunk, evaluate, evaluate_batch
from chunkenv.errors import ActionError, ArgumentError
from chunkenv.latency import Constant, Measured
from tests.evaluate.test_decision_rows import Clock, without_times
from tests.evaluate.test_single import Walk


def maker(**options):
    return lambda: ChunkedExecution(Walk(), 8, **options)


def vector_maker(**options):
    def make(slots):
        inner = SyncVectorEnv([Walk] * slots, autoreset_mode=AutoresetMode.DISABLED)
        return ChunkedVectorExecution(inner, 8, **options)

    return make


class Choosing:
    """Thinks longer late in the episode, and then asks again sooner; it notes what it is asked."""

    def __init__(self):
        self.asked = []

    def budget(self, observation, request):
        self.asked.append((int(request.tick), "budget", request.delay_estimate))
        return request.delays[min(int(request.tick) // 6, len(request.delays) - 1)]

    def infer(self, observation, request):
        self.asked.append((int(request.tick), "infer", request.delay_estimate))
        chunk = request.rng.uniform(-1, 1, (8, 1)).astype(np.float32) * 0.1
        chunk[: request.prefix_length] = request.prefix
        return (chunk, 4 if request.tick < 8 else 3) if request.horizons else chunk

    def budget_batch(self, observations, request):
        return np.array([request.delays[min(int(tick) // 6, len(request.delays) - 1)] for tick in request.tick])

    def infer_batch(self, observations, request):
        chunks = np.stack([rng.uniform(-1, 1, (8, 1)) for rng in request.rng]).astype(np.float32) * np.float32(0.1)
        held = np.arange(8)[None, :, None] < request.prefix_length[:, None, None]
        chunks = np.where(held, request.prefix, chunks).astype(np.float32)
        return (chunks, np.where(request.tick < 8, 4, 3)) if request.horizons else chunks


CHOICES = {
    "horizons": dict(execution_horizon=(2, 5), latency=1),
    "delays": dict(execution_horizon=3, delays=(0, 2, 4)),
    "both": dict(execution_horizon=(2, 5), delays=(0, 2, 4)),
    "neither": dict(execution_horizon=3, latency=1),
}


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("info", ["basic", "actions"])
def test_what_is_chosen_happens_in_one_and_in_many(name, info):
    options = CHOICES[name] | {"info": info}
    single, batch = [], []
    rows = evaluate(maker(**options), Choosing(), 6, seed=3, decisions=single)
    assert evaluate_batch(vector_maker(**options), Choosing(), 6, seed=3, slots=4, decisions=batch) == rows
    assert without_times(batch) == without_times(single)
    for row in single:
        chosen = (0, 2, 4)[min(row["tick"] // 6, 2)] if "delays" in options else 1
        assert row["delay"] == (chosen if row["decision"] else 0)  # the first chunk is there at once
        assert row["horizon"] == ((4 if row["tick"] < 8 else 3) if name in ("horizons", "both") else 3)
    assert all(
        row["ticks"] == max(row["horizon"], row["delay"])
        for row, after in itertools.pairwise(single)
        if after["episode"] == row["episode"]
    )


def test_the_budget_is_asked_first_and_the_request_has_its_delay():
    policy = Choosing()
    evaluate(maker(execution_horizon=3, delays=(0, 2, 4)), policy, 1, seed=0)
    questions = [what for _, what, _ in policy.asked]
    assert questions == ["budget", "infer"] * (len(questions) // 2)
    for (tick, _, _), (same, _, expected) in zip(policy.asked[::2], policy.asked[1::2], strict=True):
        assert tick == same
        assert expected == (0 if tick == 0 else (0, 2, 4)[min(tick // 6, 2)])


class Plain(Choosing):
    """Returns chunks alone."""

    def infer(self, observation, request):
        return np.zeros((8, 1), np.float32)

    def infer_batch(self, observations, request):
        return np.zeros((len(request.tick), 8, 1), np.float32)


@pytest.mark.parametrize("name", ["horizons", "both"])
def test_a_chunk_alone_is_executed_as_long_as_may_be(name):
    single, batch = [], []
    evaluate(maker(**CHOICES[name]), Plain(), 2, seed=0, decisions=single)
    evaluate_batch(vector_maker(**CHOICES[name]), Plain(), 2, seed=0, slots=2, decisions=batch)
    assert {row["horizon"] for row in single} == {5}
    assert without_times(batch) == without_times(single)


def test_a_flat_action_says_its_horizon_itself():
    class Flat:
        def infer(self, observation, request):
            return np.array([0.0] * 8 + [-1.0], np.float32)

    decisions = []
    evaluate(lambda: FlattenChunk(maker(**CHOICES["horizons"])()), Flat(), 1, seed=0, decisions=decisions)
    assert {row["horizon"] for row in decisions} == {2}


class Forward:
    """Without a budget."""

    def infer(self, observation, request):
        return np.zeros((8, 1), np.float32)

    def infer_batch(self, observations, request):
        return np.zeros((len(request.tick), 8, 1), np.float32)


def test_a_policy_without_a_budget_is_refused():
    with pytest.raises(ArgumentError, match=r"has no method budget\(obs.* one of request\.delays; the environment lets "
                                            r"it choose how long to think, delays=\(0, 2, 4\)\."):  # fmt: skip
        evaluate(maker(**CHOICES["delays"]), Forward(), 1, seed=0)
    with pytest.raises(ArgumentError, match=r"has no method budget_batch\(.* for each request, int\[N\]; the env"):
        evaluate_batch(vector_maker(**CHOICES["delays"]), Forward(), 1, seed=0, slots=1)


@pytest.mark.parametrize("budget", [3, -1, 2.0, None, [2], "2", np.nan, True])
def test_a_budget_that_cannot_be_chosen(budget):
    class Wrong(Choosing):
        def budget(self, observation, request):
            return budget

    with pytest.raises(ActionError, match=r"Wrong\.budget returned .*, where delays=\(0, 2, 4\) may be chosen; return"):
        evaluate(maker(**CHOICES["delays"]), Wrong(), 1, seed=0)


@pytest.mark.parametrize("budget", [2, [2], [2, 3], [2.0, 2.0], None, [[2], [2]]])
def test_budgets_of_a_batch_that_cannot_be_chosen(budget):
    class Wrong(Choosing):
        def budget_batch(self, observations, request):
            return budget

    with pytest.raises(ActionError, match=r"Wrong\.budget_batch returned .*; return one of .* for each request, int"):
        evaluate_batch(vector_maker(**CHOICES["delays"]), Wrong(), 2, seed=0, slots=2)


@pytest.mark.parametrize("horizon", [1, 6, -2])
def test_a_horizon_that_cannot_be_chosen_names_the_policy(horizon):
    class Wrong(Choosing):
        def infer(self, observation, request):
            return super().infer(observation, request)[0], horizon

        def infer_batch(self, observations, request):
            return super().infer_batch(observations, request)[0], np.full(2, horizon)

    with pytest.raises(ActionError, match=r"Wrong\.infer returned a chunk that cannot be executed: .*horizon"):
        evaluate(maker(**CHOICES["horizons"]), Wrong(), 1, seed=0)
    with pytest.raises(ActionError, match=r"Wrong\.infer_batch returned chunks that cannot be executed: .*horizon"):
        evaluate_batch(vector_maker(**CHOICES["horizons"]), Wrong(), 2, seed=0, slots=2)


class Timed(Forward):
    """Each inference takes a tenth of a second more than the one before; a budget takes long, and does not count."""

    def __init__(self, clock):
        self.clock, self.count = clock, -1

    def reset(self):
        self.clock.now += 50.0
        self.count = -1

    def infer(self, observation, request):
        self.count += 1
        self.clock.now += 0.1 * self.count
        return super().infer(observation, request)

    def infer_batch(self, observations, request):
        self.infer(observations, request)
        return super().infer_batch(observations, request)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    return clock


@pytest.mark.parametrize(("scale", "added"), [(1.0, 0.0), (3.0, 0.0), (1.0, 0.25)])
def test_measured_seconds_are_charged_to_their_own_decision(clock, scale, added):
    latency = Measured(scale) + Constant(added) if added else Measured(scale)
    options = dict(execution_horizon=3, latency=latency, control_dt=0.1, delay_estimate="last")
    decisions = []
    evaluate(maker(**options), Timed(clock), 2, seed=0, decisions=decisions)
    for row in decisions:
        expected = np.ceil(np.round(scale * row["seconds"] + added, 9) / 0.1)
        assert row["delay"] == (expected if row["decision"] else 0)
        assert row["seconds"] == pytest.approx(0.1 * row["decision"])
    assert max(row["delay"] for row in decisions) >= 4


def test_a_batch_charges_its_time_to_each(clock):
    options = dict(execution_horizon=3, latency=Measured(), control_dt=0.1, delay_estimate="last")
    decisions = []
    evaluate_batch(vector_maker(**options), Timed(clock), 2, seed=0, slots=2, decisions=decisions)
    assert [row["delay"] for row in decisions if row["episode"] == 0] == list(range(6))
    assert all(row["seconds"] == pytest.approx(0.1 * row["decision"]) for row in decisions)
    assert without_times([row | {"episode": 0} for row in decisions[6:]]) == without_times(decisions[:6])


def test_real_seconds_are_charged():
    class Sleeping(Forward):
        def infer(self, observation, request):
            time.sleep(0.02)
            return super().infer(observation, request)

    decisions = []
    options = dict(execution_horizon=3, latency=Measured(scale=10.0), control_dt=0.1, delay_estimate="last")
    evaluate(maker(**options), Sleeping(), 1, seed=0, decisions=decisions)
    assert all(row["delay"] == np.ceil(10 * row["seconds"] / 0.1) >= 2 for row in decisions[1:])


def test_tuples_of_actions_are_chunks():
    """A chunk of a Tuple space is a tuple itself, with a horizon beside it or not."""

    class Pair(gym.Env):
        observation_space = gym.spaces.Box(-1, 1, (1,))
        action_space = gym.spaces.Tuple((gym.spaces.Box(-1, 1, (1,), np.float32), gym.spaces.Discrete(3)))
        tick = 0

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.tick = 0
            return np.zeros(1, np.float32), {}

        def step(self, action):
            self.tick += 1
            return np.zeros(1, np.float32), 1.0, False, self.tick == 12, {}

    class Policy:
        def __init__(self, horizon):
            self.horizon = horizon

        def infer(self, observation, request):
            chunk = np.zeros((8, 1), np.float32), np.zeros(8, np.int64)
            return (chunk, self.horizon) if self.horizon else chunk

    for horizon, found in ((3, 3), (None, 4)):
        decisions = []
        evaluate(lambda: ChunkedExecution(Pair(), 8, (2, 4)), Policy(horizon), 1, seed=0, decisions=decisions)
        assert {row["horizon"] for row in decisions} == {found}
