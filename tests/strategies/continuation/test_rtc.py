"""The guidance against finite differences and true posteriors; the strategy against the plain policy."""

from types import SimpleNamespace

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.strategies import RTC, HardMasking, Naive
from chunkenv.strategies.continuation.rtc import GuidedEuler, guidance_weight, guided_velocity
from tests.strategies.policies import Gaussian, Network, generators, requests

HORIZON, SIZE = 4, 2


def correlated(seed=0, size=HORIZON * SIZE):
    factor = np.random.default_rng(seed).normal(size=(size, size))
    return factor @ factor.T / size + 0.2 * np.eye(size)


def make_inputs(seed=1, count=3):
    rng = np.random.default_rng(seed)
    observations = rng.normal(size=(count, 3))
    chunks, plan = rng.normal(size=(2, count, HORIZON, SIZE))
    weights = np.array([1.0, 1.0, 0.4, 0.0])[None, :, None]
    return observations, chunks, plan, np.broadcast_to(weights, (count, HORIZON, 1))


@pytest.mark.parametrize("time", [0.0, 0.2, 0.5, 0.8, 0.99])
def test_the_guidance_weight_is_the_papers(time):
    if time == 0:
        assert guidance_weight(time, 5.0) == 5.0
        return
    variance = (1 - time) ** 2 / (time**2 + (1 - time) ** 2)
    assert guidance_weight(time, 1e9) == pytest.approx((1 - time) / (time * variance))
    assert guidance_weight(time, 0.5) == 0.5


@pytest.mark.parametrize("time", [0.2, 0.5, 0.8])
def test_with_a_standard_gaussian_the_guided_flow_is_the_true_posteriors(time):
    """Given frozen rows y, the flow of p(x1 | x1[:k] = y) is (y - x) / (1 - t) there, and the old one elsewhere."""
    denoiser = Gaussian(HORIZON, SIZE, dtype=np.float64)
    observations, chunks, plan, _ = make_inputs()
    weights = np.array([1.0, 1.0, 0.0, 0.0])[None, :, None]
    guided = guided_velocity(denoiser, observations, chunks, time, plan, weights, max_guidance=1e9)
    np.testing.assert_allclose(guided[:, :2], (plan - chunks)[:, :2] / (1 - time), rtol=1e-9)
    np.testing.assert_allclose(guided[:, 2:], denoiser.velocity(observations, chunks, time)[:, 2:], rtol=1e-9)


@pytest.mark.parametrize("time", [0.2, 0.5, 0.8])
def test_with_correlated_rows_the_guidance_is_the_closed_form(time):
    """v + w (dE[x1|x]/dx)^T W (y - E[x1|x]), with mean and gain of the true posterior."""
    denoiser = Gaussian(HORIZON, SIZE, correlated(), dtype=np.float64)
    observations, chunks, plan, weights = make_inputs()
    error = weights * (plan - denoiser.expected(observations, chunks, time).reshape(plan.shape))
    pulled = (error.reshape(len(error), -1) @ denoiser.gain(time)).reshape(plan.shape)
    expected = denoiser.velocity(observations, chunks, time) + guidance_weight(time, 5.0) * pulled
    guided = guided_velocity(denoiser, observations, chunks, time, plan, weights, 5.0)
    np.testing.assert_allclose(guided, expected, rtol=1e-9)


@pytest.mark.parametrize("time", [0.0, 0.4, 0.8])
def test_the_guidance_is_the_gradient_of_the_weighted_error(time):
    """Finite differences: the correction is -d/dx of sum(weights * (plan - x1(x))^2) / 2, a chunk at a time."""
    denoiser = Gaussian(HORIZON, SIZE, correlated(), dtype=np.float64)
    observations, chunks, plan, weights = make_inputs()

    def loss(moved):
        expected = moved + (1 - time) * denoiser.velocity(observations, moved, time)
        return (weights * (plan - expected) ** 2).sum() / 2

    slope, step = np.zeros_like(chunks), 1e-6
    for place in np.ndindex(chunks.shape):
        up, down = chunks.copy(), chunks.copy()
        up[place] += step
        down[place] -= step
        slope[place] = (loss(up) - loss(down)) / (2 * step)
    guided = guided_velocity(denoiser, observations, chunks, time, plan, weights, 5.0)
    correction = (guided - denoiser.velocity(observations, chunks, time)) / guidance_weight(time, 5.0)
    np.testing.assert_allclose(correction, -slope, atol=1e-7)


def test_a_networks_guidance_is_the_gradient_too():
    denoiser = Network()
    rng = np.random.default_rng(0)
    observations = rng.normal(size=(1, 3)).astype(np.float32)
    chunks, plan = rng.normal(size=(2, 1, 8, 1)).astype(np.float32)
    weights, time, step = np.linspace(1, 0, 8, dtype=np.float32)[None, :, None], 0.4, 1e-2

    def loss(moved):
        expected = moved + (1 - time) * np.asarray(denoiser.velocity(observations, moved, time), np.float64)
        return (weights * (plan - expected) ** 2).sum() / 2

    moves = step * np.eye(8, dtype=np.float32)[:, None, :, None]
    slope = np.array([loss(chunks + move) - loss(chunks - move) for move in moves]) / (2 * step)
    guided = guided_velocity(denoiser, observations, chunks, time, plan, weights, 5.0)
    plain = denoiser.velocity(observations, chunks, time)
    np.testing.assert_allclose((guided - plain)[0, :, 0] / guidance_weight(time, 5.0), -slope, atol=2e-3)


def test_the_loop_ends_on_the_frozen_rows():
    """Standard Gaussian actions, many small steps: what is frozen comes out as it was, what is free from its mean."""
    denoiser = Gaussian(HORIZON, SIZE, dtype=np.float64)
    observations, _, plan, _ = make_inputs(count=400)
    noise = np.random.default_rng(2).normal(size=plan.shape)
    weights = np.array([1.0, 1.0, 0.0, 0.0])[None, :, None]
    chunks = GuidedEuler(steps=200, max_guidance=1e3)(denoiser, observations, noise, plan, weights)
    np.testing.assert_allclose(chunks[:, :2], plan[:, :2], atol=1e-2)
    free = (chunks.reshape(400, -1) - denoiser.mean(observations))[:, 4:]
    assert abs(free.mean()) < 0.1
    assert abs(free.std() - 1) < 0.1


def plain_and_guided(policy, request, **settings):
    observations = np.random.default_rng(3).normal(size=(len(request.tick), 3)).astype(np.float32)
    again = request._replace(rng=generators(len(request.tick)))
    return Naive(policy).infer_batch(observations, request), RTC(policy, **settings).infer_batch(observations, again)


def rows_left(count=4, horizon=8, size=1, seed=4):
    return np.random.default_rng(seed).normal(size=(count, horizon, size)).astype(np.float32)


@pytest.mark.parametrize("policy", [Gaussian(), Network()], ids=["numpy", "jax"])
@pytest.mark.parametrize(
    ("request_settings", "settings"),
    [
        ({"lengths": [0, 0, 0, 0], "delay": 2}, {}),
        ({"lengths": [4, 4, 4, 4], "delay": 0}, {"schedule": "zeros"}),
        ({"lengths": [4, 4, 4, 4], "delay": 2, "execution_horizon": 8}, {}),
    ],
    ids=["nothing left", "nothing frozen", "no overlap"],
)
def test_with_mask_0_it_is_the_plain_policy_to_the_bit(policy, request_settings, settings):
    plain, guided = plain_and_guided(policy, requests(rows_left(), **request_settings), **settings)
    np.testing.assert_array_equal(plain, guided)


@pytest.mark.parametrize("policy", [Gaussian(), Network()], ids=["numpy", "jax"])
def test_rows_with_mask_0_are_plain_among_guided_ones(policy):
    request = requests(rows_left(), lengths=[4, 0, 4, 0], delay=2)
    plain, guided = plain_and_guided(policy, request)
    np.testing.assert_array_equal(plain[[1, 3]], guided[[1, 3]])
    assert (np.abs(plain - guided)[[0, 2], :2] > 1e-3).any(axis=(1, 2)).all()


def test_each_chunk_draws_once_from_its_own_generator():
    """Guided or not: so that the next chunks of all methods have the same noise."""
    request = requests(rows_left(), lengths=[4, 0, 4, 0], delay=2)
    RTC(Gaussian()).infer_batch(np.zeros((4, 3), np.float32), request)
    for rng, fresh in zip(request.rng, generators(4), strict=True):
        fresh.standard_normal((8, 1), np.float32)
        assert rng.random() == fresh.random()


def test_guided_chunks_are_nearer_to_what_is_left():
    left = rows_left()
    plain, guided = plain_and_guided(Gaussian(), requests(left, lengths=[4] * 4, delay=2))
    near, far = (np.abs(chunks - left)[:, :2].max(axis=(1, 2)) for chunks in (guided, plain))
    assert (near < 0.5 * far).all()


def test_the_plan_is_compared_in_the_networks_space():
    """A standard Gaussian, guided in full: what comes out are the actions that were left."""

    class Fine(Gaussian):
        steps = 200

    left = rows_left()
    _, guided = plain_and_guided(Fine(), requests(left, lengths=[4] * 4, delay=2), max_guidance=1e3)
    np.testing.assert_allclose(guided[:, :2], left[:, :2], atol=0.05)


@pytest.mark.parametrize("filling", [0.0, 1e6, np.nan])
def test_rows_that_are_not_left_have_no_say(filling):
    left = rows_left()
    left[:, 3:] = filling
    short = requests(left[:, :3], lengths=[3] * 4, delay=1)
    _, expected = plain_and_guided(Gaussian(), short)
    _, guided = plain_and_guided(Gaussian(), requests(left, lengths=[3] * 4, delay=1))
    np.testing.assert_array_equal(guided, expected)


def test_a_plan_shorter_than_the_overlap_is_not_filled_up_with_zeros():
    """Two rows are left where H - s is 4: the other two are free."""
    policy = Gaussian()
    left = np.full((1, 8, 1), 30.0, np.float32)
    observations = np.zeros((1, 3), np.float32)
    guided = RTC(policy, "ones").infer_batch(observations, requests(left, [2], delay=1))
    plain = policy.infer_batch(observations, requests(left, [2], delay=1))
    np.testing.assert_allclose(guided[:, 2:], plain[:, 2:], rtol=1e-5)
    assert (np.abs(guided - plain)[:, :2] > 1).all()


def test_the_order_of_the_batch_does_not_matter():
    policy, order = Network(), [2, 0, 3, 1]
    left, observations = rows_left(), np.random.default_rng(5).normal(size=(4, 3)).astype(np.float32)
    lengths, delays = np.array([4, 3, 0, 4]), np.array([0, 2, 1, 3])
    one = RTC(policy).infer_batch(observations, requests(left, lengths, delay=delays))
    turned = requests(left[order], lengths[order], delay=delays[order])
    streams = generators(4)
    other = RTC(policy).infer_batch(observations[order], turned._replace(rng=tuple(streams[i] for i in order)))
    np.testing.assert_allclose(other, one[order], atol=1e-5)


def test_one_is_a_batch_of_one():
    policy = Network()
    request = requests(rows_left(1), [4], delay=2)
    observation = np.ones(3, np.float32)
    batch = RTC(policy).infer_batch(observation[None], request)
    single = SimpleNamespace(**request._asdict())
    single.tick, single.prefix_length, single.delay_estimate = 8, 2, 2
    single.pending = ()
    single.prefix, single.left_over, single.rng = request.prefix[0, :2], request.left_over[0, :4], generators(1)[0]
    chunk = RTC(policy).infer(observation, single)
    assert chunk.shape == (8, 1)
    assert chunk.dtype == np.float32
    np.testing.assert_array_equal(chunk, batch[0])


def test_equal_shapes_compile_once():
    """Whatever the mask: schedule, delay, execution horizon and rows left are data."""
    policy = Network()
    observations = np.zeros((4, 3), np.float32)
    for schedule in ("exp", "linear", "ones", "zeros"):
        for horizon in (2, 4, 6):
            for delay in (1, 2):
                request = requests(rows_left(), [8 - horizon] * 4, delay=delay, execution_horizon=horizon)
                RTC(policy, schedule).infer_batch(observations, request)
    assert policy.traces == 1
    RTC(policy).infer_batch(observations[:2], requests(rows_left(2), [4, 4], delay=1))
    assert policy.traces == 2


def test_hard_masking_is_the_schedule_zeros():
    policy, observations = Gaussian(), np.zeros((4, 3), np.float32)
    one, other = (
        strategy.infer_batch(observations, requests(rows_left(), [4] * 4, delay=2))
        for strategy in (HardMasking(policy, 3.0), RTC(policy, "zeros", 3.0))
    )
    np.testing.assert_array_equal(one, other)


def test_what_it_costs():
    cost = RTC(Gaussian()).cost
    assert (cost.evaluations, cost.vjps, cost.flops) == (5, 5, 1000)


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        ("velocity_vjp", "RTC needs a policy with velocity_vjp(observations, chunks, time): the denoiser and its"),
        ("compile", "has no compile"),
        ("to_network", "has no to_network"),
        ("infer_batch", "has no infer_batch"),
    ],
)
def test_a_policy_that_lacks_something_is_refused(lacks, words):
    policy = Gaussian()
    setattr(policy, lacks, None)
    with pytest.raises(ArgumentError) as error:
        RTC(policy)
    assert words in str(error.value)
    assert "use Naive or BID" in str(error.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"schedule": "soft"}, "schedule='soft' is unknown"),
        ({"max_guidance": -1.0}, "max_guidance=-1.0 is not a finite number of at least 0"),
        ({"max_guidance": None}, "max_guidance=None is not a finite number"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, words):
    with pytest.raises(ArgumentError) as error:
        RTC(Gaussian(), **settings)
    assert words in str(error.value)


def test_a_request_without_generators_is_refused():
    request = requests(rows_left(), [4] * 4)._replace(rng=None)
    for name, strategy in {"RTC": RTC(Gaussian()), "HardMasking": HardMasking(Gaussian())}.items():
        with pytest.raises(ArgumentError, match=f"The request has rng=None, but {name} draws from it"):
            strategy.infer_batch(np.zeros((4, 3)), request)
