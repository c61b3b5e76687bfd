"""Chunks that functions of a student sample, in the place of a policy of the package."""

import numpy as np
import pytest

from chunkenv.course import Ensembled, LateFlow, TwoWays
from chunkenv.course.grading import WrongAnswer
from chunkenv.request import Request
from chunkenv.strategies import RTC, prefix_weights, stack_requests

H, SCALE = 4, 2.0


class Policy:
    """A flow policy whose actions are twice what its network has; observations say where its two ways begin."""

    prediction_horizon, action_size, steps = H, 1, 5
    flops_per_evaluation = 1

    def __init__(self):
        self.flow = self

    def velocity(self, observations, chunks, time):
        return self._ways(observations).velocity(chunks, time)

    def velocity_vjp(self, observations, chunks, time):
        ways = self._ways(observations)
        return ways.velocity(chunks, time), lambda error: ways.vjp(chunks, time, error)

    def _ways(self, observations):
        return TwoWays(np.float32(observations[0, 0]) + np.linspace(0.5, 1.0, H, dtype=np.float32)[:, None])

    def compile(self, loop):
        return lambda *arrays: np.asarray(loop(self, *arrays), np.float32)

    def to_network(self, actions):
        return actions / SCALE

    def to_actions(self, chunks):
        return chunks * SCALE

    def infer(self, observation, request):
        return self.infer_batch(observation[None], stack_requests([request], H))[0]

    def infer_batch(self, observations, request):
        chunks = np.stack([rng.standard_normal((H, 1), np.float32) for rng in request.rng])
        for step in range(5):
            chunks = chunks + self.velocity(observations, chunks, step / 5) / 5
        return chunks * SCALE


def request_at(*ticks, left=3):
    """With a delay of 1 and s = 1; nothing is left at tick 0."""
    plan = np.array([[1.0], [1.5], [1.75]], np.float32)
    counts = [left if tick else 0 for tick in ticks]
    requests = [
        Request(tick, plan[: min(1, n)], min(1, n), 1, 1, plan[:n], np.random.default_rng(7 + tick))
        for tick, n in zip(ticks, counts, strict=True)
    ]
    return stack_requests(requests, H)


def weights_of(delay, s, left, horizon):
    end = min(left, horizon - s)
    return prefix_weights(min(delay, end), end, horizon)


def guided(velocity, vjp, noise, plan, weights):
    """RTC, as `GuidedEuler` has it."""
    from chunkenv.strategies.continuation.rtc import guidance_weight

    for step in range(5):
        time = step / 5
        speed = velocity(noise, time)
        error = weights * (plan - noise - (1 - time) * speed)
        noise = noise + (speed + guidance_weight(time, 5.0) * (error + (1 - time) * vjp(noise, time, error))) / 5
    return noise


def test_what_is_sampled_is_what_the_package_samples():
    seen, policy = np.full((3, 1), 0.5, np.float32), Policy()
    found = LateFlow(policy, guided, weights_of).infer_batch(seen, request_at(0, 2, 5))
    np.testing.assert_allclose(found, RTC(policy).infer_batch(seen, request_at(0, 2, 5)), atol=1e-5)


@pytest.mark.parametrize(
    ("sample", "sentence"),
    [
        (lambda velocity, vjp, noise, plan, weights: noise[0], r"the batch of chunks has shape \(1, 4, 1\)"),
        (lambda velocity, vjp, noise, plan, weights: np.nan * noise, "NaN"),
        (lambda velocity, vjp, noise, plan, weights: velocity(noise[:, :2], 0.0), r"chunks has shape \(1, 4, 1\)"),
        (lambda velocity, vjp, noise, plan, weights: vjp(noise, 0.0, weights[0]), "the error has shape"),
    ],
    ids=["shape", "NaN", "chunks", "error"],
)
def test_what_is_no_batch_of_chunks_is_refused(sample, sentence):
    with pytest.raises(WrongAnswer, match=sentence):
        LateFlow(Policy(), sample, weights_of).infer_batch(np.zeros((1, 1), np.float32), request_at(2))


class Counting:
    """Adds how many chunks it was shown in its episode."""

    def reset(self):
        self.shown = 0

    def infer(self, observation, request):
        self.shown += 1
        return observation + 100 * self.shown


def test_every_episode_has_its_own_ensembling():
    policy = Ensembled(LateFlow(Policy(), lambda velocity, vjp, noise, plan, weights: 0 * noise, weights_of), Counting)
    seen = np.zeros((2, 1), np.float32)
    shown = [policy.infer_batch(seen, request_at(*ticks))[:, 0, 0].tolist() for ticks in ((0, 0), (1, 2), (2, 0))]
    assert shown == [[100, 100], [200, 200], [300, 100]]
