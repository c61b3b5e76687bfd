"""The strategies around the flow policy of the package, with weights that nobody trained."""

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution
from chunkenv.strategies import BID, RTC, HardMasking, TrainingTimeRTC
from chunkenv.strategies.continuation.rtc import guided_velocity
from chunkenv.testing import StrategyContract
from tests.strategies.policies import generators, requests

jax = pytest.importorskip("jax")
flow_policy = pytest.importorskip("chunkenv.agents.policies.flow_policy")
flow_sampler = pytest.importorskip("chunkenv.agents.policies.flow_sampler")


def untrained(prefix=False):
    from chunkenv.agents.nets.mixer import Architecture, ChunkSizes, initial_weights
    from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow

    rng = np.random.default_rng(0)
    architecture, sizes = Architecture(width=16, hidden=16, blocks=1, time_features=8), ChunkSizes(35, 8, 6, prefix)
    weights = {
        name: 0.2 * rng.standard_normal(value.shape, np.float32)
        for name, value in initial_weights(architecture, sizes, 0).items()
    }
    mean, std = rng.standard_normal((2, 35), np.float32)
    flow = PreconditionedFlow(weights, mean, np.abs(std) + 0.1, architecture, sizes, 5, 0.5)
    actions = rng.uniform(0.1, 0.5, (2, 6)).astype(np.float32)
    return flow_policy.FlowPolicy(flow, *actions, {"level": "catapult", "max_prefix": 4 * prefix})


PLAIN, PREFIX = untrained(), untrained(prefix=True)
STRATEGIES = {
    "bid": lambda: BID(PLAIN, 4),
    "rtc": lambda: RTC(PLAIN),
    "training-time rtc": lambda: TrainingTimeRTC(PREFIX),
}


@pytest.mark.parametrize("make", STRATEGIES.values(), ids=STRATEGIES)
class TestAroundTheFlowPolicy(StrategyContract):
    decisions = 4

    @pytest.fixture(autouse=True)
    def _choose(self, make):
        self.make_policy = make

    def make_env(self):
        return ChunkedExecution(gym.make("chunkenv/kinetix-catapult-v0", observation="compact"), 8, 4, latency=2)


def batch(lengths, delay=2):
    rng = np.random.default_rng(1)
    left = rng.standard_normal((len(lengths), 8, 6), np.float32)
    return rng.standard_normal((len(lengths), 35), np.float32), requests(left, lengths, delay=delay)


def test_without_a_mask_rtc_is_the_policy_to_the_bit():
    observations, request = batch([4, 0, 4, 0])
    guided = RTC(PLAIN).infer_batch(observations, request)
    plain = PLAIN.infer_batch(observations, request._replace(rng=generators(4)))
    np.testing.assert_array_equal(guided[[1, 3]], plain[[1, 3]])
    assert (np.abs(guided - plain)[[0, 2], :2].max(axis=(1, 2)) > 1e-3).all()
    observations, request = batch([4] * 4, delay=0)
    masked = HardMasking(PLAIN).infer_batch(observations, request)
    plain = PLAIN.infer_batch(observations, request._replace(rng=generators(4)))
    np.testing.assert_array_equal(masked, plain)


def test_the_guidance_is_the_gradient_of_the_weighted_error():
    rng = np.random.default_rng(2)
    observations, time, step = rng.standard_normal((1, 35), np.float32), 0.4, 1e-2
    chunks, plan, direction = rng.standard_normal((3, 1, 8, 6), np.float32)
    weights = np.linspace(1, 0, 8, dtype=np.float32)[None, :, None]

    velocity = PLAIN.compile(lambda denoiser, *arrays: denoiser.velocity(*arrays, time))
    guided = PLAIN.compile(lambda denoiser, o, c, p, w: guided_velocity(denoiser, o, c, time, p, w, 1.0))

    def loss(moved):
        expected = moved + (1 - time) * velocity(observations, moved).astype(np.float64)
        return (weights * (plan - expected) ** 2).sum() / 2

    slope = (loss(chunks + step * direction) - loss(chunks - step * direction)) / (2 * step)
    correction = guided(observations, chunks, plan, weights) - velocity(observations, chunks)
    assert (correction * direction).sum() == pytest.approx(-slope, rel=2e-2, abs=2e-3)


def test_strategies_made_anew_share_what_was_compiled():
    observations, request = batch([4] * 4)
    before = None
    for schedule in ("exp", "ones", "linear"):
        RTC(untrained(), schedule).infer_batch(observations, request)
        compiled = flow_sampler._run._cache_size()
        assert before in (None, compiled)
        before = compiled
