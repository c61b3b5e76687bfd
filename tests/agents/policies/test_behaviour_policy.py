"""The flow inside an agent, looked into by execution strategies."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents import registry
from chunkenv.agents.nets.behaviour_flow import behaviour_chunks
from chunkenv.agents.policies.behaviour_policy import BehaviourPolicy, chunk_values
from chunkenv.errors import ArgumentError
from chunkenv.strategies import RTC, BestOf, TrainingTimeRTC
from chunkenv.strategies.requests import draw_noise
from tests.strategies.policies import generators, requests

OBSERVATIONS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
ROWS = 6


def agent_of(name: str = "qc", delay: int = 2, prefix: bool = True):
    settings = registry.settings_for(name, chunk=4, delay=delay, prefix=prefix, hidden=(16, 16))
    return registry.create(name, 0, 3, 2, settings)


def asked(length: int = 2, left: float = 0.25):
    return requests(np.full((4, ROWS, 2), left, np.float32), [length] * 4, delay=2, execution_horizon=4)


def as_the_agent_does(agent, request, lengths: int) -> np.ndarray:
    """The chunks that the agent draws from the same noise."""
    noise = draw_noise(request.rng, ROWS, 2)[:, None]
    prefix, count = jnp.asarray(request.left_over[:, :2]), jnp.full(4, lengths)
    settings = agent.settings
    chunks = jax.jit(behaviour_chunks, static_argnums=(5, 6))(
        agent.params["flow"], jnp.asarray(OBSERVATIONS), noise, prefix, count, settings.horizons, settings.steps
    )
    return np.asarray(chunks[:, 0])


@pytest.mark.parametrize(("delay", "prefix"), [(2, True), (2, False)])
def test_the_plain_policy_draws_what_the_agent_draws_without_a_prefix(delay, prefix):
    agent = agent_of(delay=delay, prefix=prefix)
    drawn = BehaviourPolicy(agent).infer_batch(OBSERVATIONS, asked())
    np.testing.assert_allclose(drawn, as_the_agent_does(agent, asked(), 0), atol=1e-5)
    one = BehaviourPolicy(agent).infer(OBSERVATIONS[1], asked()._replace(rng=generators(4)[1]))
    np.testing.assert_allclose(one, drawn[1], atol=1e-5)


def test_training_time_rtc_around_it_draws_what_the_agent_draws_with_its_prefix():
    agent = agent_of()
    drawn = TrainingTimeRTC(BehaviourPolicy(agent)).infer_batch(OBSERVATIONS, asked())
    assert (drawn[:, :2] == 0.25).all()
    np.testing.assert_allclose(drawn, as_the_agent_does(agent, asked(), 2), atol=1e-5)


def test_rtc_holds_the_frozen_rows_to_what_is_left():
    policy = BehaviourPolicy(agent_of(prefix=False))
    guided, plain = (strategy.infer_batch(OBSERVATIONS, asked()) for strategy in (RTC(policy), policy))
    assert np.abs(guided[:, :2] - 0.25).mean() < 0.2 * np.abs(plain[:, :2] - 0.25).mean()
    assert np.abs(guided).max() <= 1


def test_the_pullback_is_the_transposed_jacobian():
    policy, rng = BehaviourPolicy(agent_of(prefix=False)), np.random.default_rng(1)
    chunks, direction, cotangent = (rng.normal(size=(4, ROWS, 2)).astype(np.float32) for _ in range(3))
    velocity, pullback = policy.velocity_vjp(OBSERVATIONS, chunks, 0.3)
    np.testing.assert_allclose(velocity, policy.velocity(OBSERVATIONS, chunks, 0.3), atol=1e-6)
    _, pushed = jax.jvp(lambda given: policy.velocity(OBSERVATIONS, given, 0.3), (chunks,), (direction,))
    assert float((pullback(cotangent) * direction).sum()) == pytest.approx(float((cotangent * pushed).sum()), rel=1e-3)


def test_best_of_its_chunks_by_the_agents_critics():
    agent = agent_of(prefix=False)
    values = chunk_values(agent)
    best = BestOf(BehaviourPolicy(agent), values, samples=16).infer_batch(OBSERVATIONS, asked())
    first = BestOf(BehaviourPolicy(agent), values, samples=1).infer_batch(OBSERVATIONS, asked())
    assert (values(OBSERVATIONS, best) > values(OBSERVATIONS, first)).any()
    assert (values(OBSERVATIONS, best) >= values(OBSERVATIONS, first)).all()


def test_what_cannot_be_done_is_said():
    rlpd = agent_of("rlpd-ac", delay=0)
    with pytest.raises(ArgumentError, match="rlpd has no flow"):
        BehaviourPolicy(rlpd)
    with pytest.raises(ArgumentError, match="rng=None"):
        BehaviourPolicy(agent_of()).infer(OBSERVATIONS[0], asked()._replace(rng=None))
    with pytest.raises(ArgumentError, match="trained to continue a prefix"):
        TrainingTimeRTC(BehaviourPolicy(agent_of(prefix=False)))
