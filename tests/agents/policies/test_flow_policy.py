from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv import ChunkedExecution
from chunkenv.agents.nets.chunk_flow import sample_chunks
from chunkenv.agents.nets.mixer import Architecture, ChunkSizes, initial_weights
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow, flops, preconditioning
from chunkenv.agents.policies.flow_policy import FlowPolicy, load_flow_policy
from chunkenv.errors import ArgumentError
from chunkenv.strategies import SoftTrainingTimeRTC, TrainingTimeRTC
from chunkenv.testing import PolicyContract
from tests.strategies.policies import requests

LEVEL, OBSERVATION = "catapult", 35
ARCHITECTURE = Architecture(width=16, hidden=16, blocks=1, time_features=8)


class Asked(NamedTuple):
    rng: Any
    playing: Any = None


@cache
def shapes(sizes):
    return jax.eval_shape(lambda: initial_weights(ARCHITECTURE, sizes, 0))


def policy(prefix=False, seed=0, observation=OBSERVATION):
    rng = np.random.default_rng(seed)
    sizes = ChunkSizes(observation, 8, 6, prefix)
    weights = {
        name: jnp.asarray(0.2 * rng.standard_normal(value.shape, np.float32)) for name, value in shapes(sizes).items()
    }
    mean, std = rng.standard_normal((2, observation), np.float32)
    flow = PreconditionedFlow(weights, mean, np.abs(std) + 0.1, ARCHITECTURE, sizes, 5, 0.5)
    action_mean, action_std = rng.uniform(0.1, 0.5, (2, 6)).astype(np.float32)
    return FlowPolicy(flow, action_mean, action_std, {"level": LEVEL, "max_prefix": 3 * prefix})


def batch(count=4, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, OBSERVATION), np.float32), rng.standard_normal((count, 8, 6), np.float32)


def streams(count, seed=0):
    return tuple(np.random.default_rng([seed, index]) for index in range(count))


class TestContract(PolicyContract):
    def make_policy(self):
        return policy()

    def make_env(self):
        world = gym.make(f"chunkenv/kinetix-{LEVEL}-v0", observation="compact")
        return ChunkedExecution(world, prediction_horizon=8, execution_horizon=4, latency=2)


def test_it_says_what_it_is():
    plain, prefix = policy(), policy(prefix=True)
    assert (plain.level, plain.prediction_horizon, plain.action_size, plain.observation_size) == (LEVEL, 8, 6, 35)
    assert (plain.steps, plain.prefix_conditioned, plain.max_prefix) == (5, False, 0)
    assert (prefix.prefix_conditioned, prefix.max_prefix) == (True, 3)


def test_flops_are_at_least_those_of_the_matrices():
    own = policy()
    matrices = 2 * sum(value.size for name, value in own.flow.weights.items() if value.ndim == 2)
    assert matrices <= own.flops_per_evaluation < 1.5 * matrices


@given(st.floats(0, 0.999), st.floats(0.05, 2))
def test_preconditioning_is_the_best_linear_guess(time, std):
    """The covariance of data - noise with t * data + (1 - t) * noise over its variance, and what is left over."""
    skip, out, scale = (float(each) for each in preconditioning(time, std))
    variance = (std * time) ** 2 + (1 - time) ** 2
    slope = (std**2 * time - (1 - time)) / variance
    left = std**2 + 1 - slope**2 * variance
    assert skip == pytest.approx(slope, rel=1e-3, abs=1e-4)
    assert out == pytest.approx(left**0.5, rel=2e-2, abs=1e-3)
    assert scale == pytest.approx((time**2 + (1 - time) ** 2) ** -0.5, rel=1e-4)


@pytest.mark.parametrize("prefix", [False, True])
def test_the_pullback_is_the_transposed_jacobian(prefix):
    own = policy(prefix)
    observations, chunks = batch(2)
    rng = np.random.default_rng(2)
    direction, cotangent = rng.standard_normal((2, *chunks.shape), np.float32)
    velocity, pullback = own.velocity_vjp(observations, chunks, 0.4)
    np.testing.assert_allclose(velocity, own.velocity(observations, chunks, 0.4), rtol=1e-5)
    ahead, behind = (own.velocity(observations, chunks + h * direction, 0.4) for h in (1e-2, -1e-2))
    slope = (np.asarray(ahead) - np.asarray(behind)) / 2e-2
    assert float((slope * cotangent).sum()) == pytest.approx(float((direction * pullback(cotangent)).sum()), rel=1e-2)


@pytest.mark.optimised
def test_clean_rows_stand_still_and_change_the_others():
    own = policy(prefix=True)
    observations, chunks = batch(3)
    lengths = np.array([0, 2, 8])
    velocity = np.asarray(own.velocity(observations, chunks, 0.4, lengths))
    for row, length in enumerate(lengths):
        assert (velocity[row, :length] == 0).all()
        assert (velocity[row, length:] != 0).all()
    without = np.asarray(own.velocity(observations, chunks, 0.4))
    np.testing.assert_array_equal(without[0], velocity[0])
    assert np.abs(without[1, 2:] - velocity[1, 2:]).max() > 1e-3


def test_a_plain_policy_refuses_a_prefix():
    with pytest.raises(ArgumentError, match="not trained with a prefix"):
        policy().velocity(*batch(2), 0.4, np.array([1, 1]))


def test_to_actions_undoes_to_network():
    own, (_, chunks) = policy(), batch()
    np.testing.assert_allclose(own.to_actions(own.to_network(chunks)), chunks, atol=1e-5)
    assert np.abs(own.to_network(chunks) - chunks).max() > 0.1


def test_a_chunk_is_five_euler_steps_from_the_stream_of_its_episode():
    own, (observations, _) = policy(), batch()
    chunks = own.infer_batch(observations, Asked(streams(4)))
    expected = np.stack([rng.standard_normal((8, 6), np.float32) for rng in streams(4)])
    for step in range(5):
        expected = expected + 0.2 * np.asarray(own.velocity(observations, expected, step / 5))
    np.testing.assert_allclose(chunks, own.to_actions(expected), atol=1e-4)
    assert chunks.dtype == np.float32


def test_one_alone_gets_what_it_gets_among_others():
    own, (observations, _) = policy(), batch()
    together = own.infer_batch(observations, Asked(streams(4)))
    for row, rng in enumerate(streams(4)):
        np.testing.assert_allclose(own.infer(observations[row], Asked(rng)), together[row], atol=1e-4)


@pytest.mark.optimised
def test_the_place_in_a_batch_does_not_matter_to_the_bit():
    own, (observations, _) = policy(), batch(8)
    together = own.infer_batch(observations, Asked(streams(8)))
    turned = own.infer_batch(np.roll(observations, 3, axis=0), Asked(tuple(np.roll(np.array(streams(8)), 3))))
    np.testing.assert_array_equal(np.roll(turned, -3, axis=0), together)


@dataclass(frozen=True)
class Counted:
    """A loop that counts how often it is traced, not how often it runs."""

    factor: float

    def __call__(self, denoiser, observations, chunks):
        traces.append(self.factor)
        return self.factor * denoiser.velocity(observations, chunks, 0.0)


traces = []


def test_equal_loops_and_sizes_compile_once():
    traces.clear()
    for own in (policy(), policy(seed=1)):
        for _ in range(2):
            result = own.compile(Counted(2.0))(*batch())
            np.testing.assert_allclose(result, 2 * np.asarray(own.velocity(*batch(), 0.0)), atol=1e-5)
    assert traces == [2.0]
    policy().compile(Counted(3.0))(*batch())
    assert traces == [2.0, 3.0]


def test_policies_for_observations_of_other_sizes_share_what_is_compiled():
    traces.clear()
    for own in (policy(), policy(observation=OBSERVATION + 7)):
        observations = np.random.default_rng(1).standard_normal((4, own.observation_size), np.float32)
        result = own.compile(Counted(4.0))(observations, batch()[1])
        expected = own.velocity(observations, batch()[1], 0.0)
        np.testing.assert_allclose(result, 4 * np.asarray(expected), atol=1e-5)
    assert traces == [4.0]


def test_chunks_of_which_nobody_looks_at_some_are_the_same():
    """In more rows than a block has: those of rows that play are what they are without the others, to the bit."""
    observations, playing = batch(200)[0], np.random.default_rng(2).random(200) < 0.3
    everything = policy().infer_batch(observations, Asked(streams(200)))
    some = policy().infer_batch(observations, Asked(streams(200), playing))
    np.testing.assert_array_equal(some[playing], everything[playing])
    blank = policy().to_actions(np.zeros((8, 6), np.float32))
    np.testing.assert_array_equal(some[~playing], np.broadcast_to(blank, some[~playing].shape))


def test_a_stream_that_stands_there_many_times_is_drawn_from_as_often():
    observations = np.repeat(batch(2)[0], 3, axis=0)
    one, other = streams(2)
    together = policy().infer_batch(observations, Asked((one, one, one, other, other, other)))
    again = streams(2)
    turns = [policy().infer_batch(observations[::3], Asked(again)) for _ in range(3)]
    np.testing.assert_allclose(together.reshape(2, 3, 8, 6), np.stack(turns, axis=1), atol=1e-5)


def test_what_compiled_loops_return_belongs_to_the_caller():
    result = policy().compile(sample_chunks)(*batch())
    result[:] = 0
    assert isinstance(result, np.ndarray)


@pytest.mark.parametrize("small", [False, True])
def test_a_policy_comes_back_from_its_file(tmp_path, small):
    own, (observations, _) = policy(prefix=True), batch()
    own.save(tmp_path / "policy", small)
    again = load_flow_policy(tmp_path / "policy")
    chunks, expected = (each.infer_batch(observations, Asked(streams(4))) for each in (again, own))
    np.testing.assert_allclose(chunks, expected, atol=0.3 if small else 0)
    assert (again.facts, again.level, again.prefix_conditioned) == (own.facts, own.level, True)


def test_rounding_moves_no_weight_by_more_than_half_a_step(tmp_path):
    policy().save(tmp_path / "small", small=True)
    rounded = load_flow_policy(tmp_path / "small").flow.weights
    for name, value in policy().flow.weights.items():
        step = np.abs(value).max(axis=0) / 15 if value.ndim == 2 else 0
        assert (np.abs(rounded[name] - value) <= 0.5 * step + 1e-6).all()


def test_another_file_is_refused(tmp_path):
    (tmp_path / "other").write_bytes(b"nothing")
    for name in ("other", "nowhere"):
        with pytest.raises(ArgumentError, match=name):
            load_flow_policy(tmp_path / name)


def test_an_observation_of_another_kind_is_refused():
    with pytest.raises(ArgumentError, match=r"float32\[679\], but needs float32\[35\].*compact"):
        policy().infer(np.zeros(679, np.float32), Asked(np.random.default_rng(0)))


@pytest.mark.parametrize("rng", [None, 3])
def test_a_request_without_a_stream_is_refused(rng):
    with pytest.raises(ArgumentError, match=f"rng={rng}"):
        policy().infer(np.zeros(35, np.float32), Asked(rng))


def test_observations_and_streams_must_be_as_many():
    with pytest.raises(ArgumentError, match=r"float32\[3, 35\]"):
        policy().infer_batch(np.zeros((4, 35), np.float32), Asked(streams(3)))


def test_what_lies_far_outside_the_data_is_clipped():
    own = policy()
    observations, chunks = batch()
    far, farther = (own.velocity(np.full_like(observations, x), chunks, 0.0) for x in (1e4, 1e6))
    np.testing.assert_array_equal(far, farther)


def test_the_velocity_is_that_of_the_network():
    """With time 1/2 and data_std 1 the best linear guess is 0 and the network's output counts as it is... doubled."""
    own = replace(policy().flow, data_std=1.0)
    skip, out, _ = preconditioning(0.5, 1.0)
    assert (float(skip), float(out)) == (0.0, pytest.approx(2**0.5))
    nothing = replace(own, weights=jax.tree.map(jnp.zeros_like, own.weights))
    assert (np.asarray(nothing.velocity(*batch(), 0.5)) == 0).all()
    assert flops(own.architecture, own.sizes) == policy().flops_per_evaluation


def soft_policy(kind):
    """The same weights for a policy that says it was trained with soft rows."""
    architecture = replace(ARCHITECTURE, kind=kind)
    sizes = ChunkSizes(OBSERVATION, 8, 6, prefix=True)
    rng = np.random.default_rng(0)
    weights = {
        name: jnp.asarray(0.2 * rng.standard_normal(value.shape, np.float32))
        for name, value in jax.eval_shape(lambda: initial_weights(architecture, sizes, 0)).items()
    }
    flow = PreconditionedFlow(
        weights, np.zeros(OBSERVATION, np.float32), np.ones(OBSERVATION, np.float32), architecture, sizes, 5, 0.5
    )
    facts = {"level": LEVEL, "max_prefix": 4, "soft_rows": 3}
    return FlowPolicy(flow, np.zeros(6, np.float32), np.ones(6, np.float32), facts)


def test_soft_rows_of_none_are_the_hard_prefix_to_the_bit():
    observations, chunks = batch()
    asked = [requests(chunks, [8, 4, 0, 6], delay=[1, 4, 2, 0]) for _ in range(2)]
    soft = SoftTrainingTimeRTC(soft_policy("mlp"), rows=0).infer_batch(observations, asked[0])
    np.testing.assert_array_equal(soft, TrainingTimeRTC(soft_policy("mlp")).infer_batch(observations, asked[1]))


@pytest.mark.parametrize("kind", ["mlp", "mixer"])
def test_a_row_given_in_part_has_a_time_of_its_own(kind):
    """What the network is told of a soft row changes the velocity of others, and of itself."""
    observations, chunks = batch()
    hard, soft = np.zeros((4, 8), np.float32), np.zeros((4, 8), np.float32)
    hard[:, 0], soft[:, 0], soft[:, 1] = 1, 1, 0.5
    one, other = (soft_policy(kind).velocity(observations, chunks, 0.2, None, weights) for weights in (hard, soft))
    assert not np.asarray(one)[:, 0].any()
    assert not np.asarray(other)[:, 0].any()
    assert (np.asarray(one) != np.asarray(other))[:, 1:].mean() > 0.9


def test_a_policy_without_prefixes_takes_no_weights():
    observations, chunks = batch()
    with pytest.raises(ArgumentError, match="not trained with a prefix"):
        policy().velocity(observations, chunks, 0.2, None, np.zeros((4, 8), np.float32))
