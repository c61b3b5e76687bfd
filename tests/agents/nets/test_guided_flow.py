"""Guidance on a flow whose guided mean is known, alone and under strategies."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.nets.chunk_flow import sample_chunks
from chunkenv.agents.nets.guided_flow import GuidedFlow, with_condition
from chunkenv.agents.policies.flow_sampler import FlowSampler
from chunkenv.request import VectorRequest
from chunkenv.strategies import RTC, TrainingTimeRTC
from tests.agents.nets.linear_flow import ROWS, SIZE, STEPS, TOLD, LinearFlow, euler_coefficients, slopes

SEEN = 4
NULL = jnp.array([0.3, -0.2, 0.1, 0.4])
WEIGHTS = [0.0, 0.5, 1.0, 3.0, 10.0]


def guided(weight, told=None):
    return GuidedFlow(LinearFlow(slopes(SEEN + TOLD + 1)), NULL, told, weight, STEPS)


def observations(count=5, size=SEEN + TOLD):
    return jax.random.normal(jax.random.key(7), (count, size))


def informed(seen):
    return with_condition(seen, jnp.ones(1))


def guided_means(weight, seen):
    flow = LinearFlow(slopes(SEEN + TOLD + 1))
    without = flow.means(with_condition(seen[:, :SEEN], NULL))
    return without + weight * (flow.means(informed(seen)) - without)


def sampler(flow, max_prefix=0):
    return FlowSampler(flow, ROWS, SIZE, max_prefix, max_prefix > 0)


def request(count, prefix=2):
    """Requests with the same rows left, each with a stream of its own."""
    left = np.random.default_rng(3).standard_normal((count, ROWS, SIZE)).astype(np.float32)
    numbers = np.full(count, prefix)
    streams = tuple(np.random.default_rng([1, row]) for row in range(count))
    return VectorRequest(
        tick=np.full(count, 8), prefix=left[:, :prefix], prefix_length=numbers, delay_estimate=numbers,
        execution_horizon=3, left_over=left[:, :4], left_over_length=np.full(count, 4), rng=streams,
    )  # fmt: skip


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_guided_chunk_comes_from_the_guided_mean(weight):
    seen, noise = observations(), jax.random.normal(jax.random.key(1), (5, ROWS, SIZE))
    factor, share = euler_coefficients()
    found = sample_chunks(guided(weight), seen, noise)
    np.testing.assert_allclose(found, factor * noise + share * guided_means(weight, seen), rtol=1e-4, atol=1e-4)


def test_a_weight_of_1_is_the_conditional_flow_to_the_bit_and_0_the_unconditional():
    seen, noise = observations(), jax.random.normal(jax.random.key(1), (5, ROWS, SIZE))
    plain, sample = LinearFlow(slopes(SEEN + TOLD + 1)), jax.jit(sample_chunks)
    assert np.array_equal(sample(guided(1.0), seen, noise), sample(plain, informed(seen), noise))
    blind = with_condition(seen[:, :SEEN], NULL)
    assert np.array_equal(sample(guided(0.0), seen, noise), sample(plain, blind, noise))
    assert [guided(weight).evaluations for weight in (0.0, 1.0, 1.5)] == [1, 1, 2]


def test_what_all_are_told_stands_behind_each_observation():
    told, short = jnp.array([1.0, 2.0, -1.0, 1.0]), observations(size=SEEN)
    noise = jax.random.normal(jax.random.key(1), (5, ROWS, SIZE))
    one = sample_chunks(guided(2.0, told), short, noise)
    np.testing.assert_array_equal(one, sample_chunks(guided(2.0), with_condition(short, told[:TOLD]), noise))


def test_a_goal_may_come_as_a_goal_conditioned_environment_gives_it():
    seen, noise = observations(), jax.random.normal(jax.random.key(1), (5, ROWS, SIZE))
    parts = {"observation": seen[:, :SEEN], "achieved_goal": jnp.zeros((5, TOLD)), "desired_goal": seen[:, SEEN:]}
    np.testing.assert_array_equal(sample_chunks(guided(2.0), parts, noise), sample_chunks(guided(2.0), seen, noise))


@pytest.mark.parametrize("strategy", [RTC, TrainingTimeRTC])
@pytest.mark.parametrize("weight", [0.5, 3.0])
def test_guidance_comes_first_and_inpainting_after_it(strategy, weight):
    """The guided flow is the plain flow of the guided mean: so are its chunks under any strategy."""
    seen = observations()
    means = guided_means(weight, seen).reshape(5, -1)
    known = LinearFlow(jnp.eye(ROWS * SIZE))  # its observation is its mean
    expected = strategy(sampler(known, 3)).infer_batch(np.asarray(means), request(5))
    found = strategy(sampler(guided(weight), 3)).infer_batch(np.asarray(seen), request(5))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    plan = request(5).left_over[:, :2]
    if strategy is TrainingTimeRTC:
        np.testing.assert_allclose(found[:, :2], plan, atol=1e-5)
    else:
        free = sampler(guided(weight)).infer_batch(np.asarray(seen), request(5))
        assert np.abs(found[:, :2] - plan).mean() < 0.5 * np.abs(free[:, :2] - plan).mean()


def test_a_row_hangs_on_no_other():
    seen = np.asarray(observations())
    policy = sampler(guided(3.0))
    whole = policy.infer_batch(seen, request(5))
    others = seen.copy()
    others[1:] = 0
    np.testing.assert_array_equal(policy.infer_batch(others, request(5))[0], whole[0])
