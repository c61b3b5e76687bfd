"""What a chunk costs."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.strategies import (
    BID,
    PAINT,
    RTC,
    Cost,
    HardMasking,
    Naive,
    TemporalEnsembling,
    TrainingTimeRTC,
    measure_latency,
)
from chunkenv.strategies.costs import VJP_EVALUATIONS, cost_of
from tests.strategies.policies import COSTLY, Gaussian, Network, Prefixed


def test_a_policy_says_what_it_costs():
    assert cost_of(SimpleNamespace(cost=COSTLY)) == COSTLY
    assert cost_of(SimpleNamespace(steps=3, flops_per_evaluation=10)) == Cost(3, 0, 30)
    assert cost_of(SimpleNamespace(steps=3)) == Cost(3, 0, None)
    assert cost_of(SimpleNamespace()) == Cost(1, 0, None)


def test_strategies_cost_what_they_do():
    policy = Gaussian()
    expected = {Naive: (5, 0, 500), TemporalEnsembling: (5, 0, 500), RTC: (5, 5, 1000), HardMasking: (5, 5, 1000)}
    for kind, cost in expected.items():
        assert kind(policy).cost == cost, kind
    assert BID(policy).cost == (80, 0, 8000)
    assert TrainingTimeRTC(Prefixed()).cost == (5, 0, 500)
    assert TemporalEnsembling(RTC(policy)).cost == RTC(policy).cost


def test_a_velocity_of_two_evaluations_is_paid_for_twice():
    kinds, twice = (Naive, RTC, PAINT, TrainingTimeRTC), Prefixed()
    before = [kind(Prefixed()).cost for kind in kinds]
    twice.evaluations_per_velocity = 2
    assert [kind(twice).cost for kind in kinds] == [cost.times(2) for cost in before]


def test_what_is_unknown_stays_unknown():
    assert Cost(1, 0, None).times(3) == Cost(3, 0, None)
    assert Cost(1, 0, None).plus(Cost(1, 1, 5)) == Cost(2, 1, None)


def test_a_vjp_costs_what_the_compiler_counts():
    """XLA's own count of a velocity with its pullback, over that of the velocity: products dominate if it is wide."""
    jax = pytest.importorskip("jax")

    class Wide(Network):
        def __init__(self):
            super().__init__()
            rng = np.random.default_rng(0)
            self.hidden = rng.normal(size=(12, 512)).astype(np.float32)
            self.between = rng.normal(size=(512, 512)).astype(np.float32)
            self.out = rng.normal(size=(512, 8)).astype(np.float32)

        def velocity(self, observations, chunks, time):
            import jax.numpy as jnp

            inputs = [observations, chunks.reshape(len(chunks), -1), jnp.full((len(chunks), 1), time)]
            hidden = jnp.maximum(jnp.concatenate(inputs, axis=1) @ self.hidden, 0)
            return (jnp.maximum(hidden @ self.between, 0) @ self.out).reshape(chunks.shape)

    policy, observation, chunk = Wide(), np.zeros((1, 3), np.float32), np.zeros((1, 8, 1), np.float32)

    def both(observations, chunks, cotangent):
        velocity, pullback = policy.velocity_vjp(observations, chunks, 0.5)
        return velocity, pullback(cotangent)

    def flops(function, *arrays):
        return jax.jit(function).lower(*arrays).cost_analysis()["flops"]

    plain = flops(lambda o, c: policy.velocity(o, c, 0.5), observation, chunk)
    assert flops(both, observation, chunk, chunk) / plain == pytest.approx(1 + VJP_EVALUATIONS, rel=0.05)


def test_latency_is_measured_without_the_warm_up():
    calls = []

    def infer(observation, request):
        calls.append(request)
        time.sleep(0.05 if len(calls) <= 2 else 0.001)

    seconds = measure_latency(SimpleNamespace(infer=infer), None, "request", repeats=5, warm_up=2)
    assert seconds.shape == (5,)
    assert calls == ["request"] * 7
    assert ((seconds >= 0.001) & (seconds < 0.05)).all()


@pytest.mark.parametrize(("settings", "words"), [({"repeats": 0}, "repeats=0"), ({"warm_up": -1}, "warm_up=-1")])
def test_what_cannot_be_measured_is_refused(settings, words):
    with pytest.raises(ArgumentError, match=words):
        measure_latency(SimpleNamespace(infer=lambda *_: None), None, None, **settings)
