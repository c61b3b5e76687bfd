"""Good policies pass their contract; for every check there are broken ones that fail it."""

import copy
import functools
import random
import re
import unittest
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution
from chunkenv.strategies.requests import stack_requests
from chunkenv.testing import PolicyContract
from tests.testing.failing import cases, checks_of, contract_with, expect_failure
from tests.worlds import ACTIONS, Recorder


class Continues:
    """A policy as somebody else might write it: it goes on from its prefix, with noise, and remembers."""

    def __init__(self, space):
        self.space = space
        self.last = None

    def reset(self):
        self.last = None

    def infer(self, observation, request):
        noise = request.rng.normal(size=self.space.shape)
        start = request.prefix[-1] if request.prefix_length else np.zeros(self.space.shape[1:])
        memory = 0.0 if self.last is None else 0.1 * self.last
        chunk = (start + noise + memory + 0.01 * float(np.sum(observation))).astype(np.float32)
        self.last = chunk.copy()
        return chunk


class ContinuesInBatches(Continues):
    """The same for many episodes at once: row i remembers the last chunk of row i."""

    prediction_horizon = 8

    def infer(self, observation, request):
        return self.infer_batch(np.asarray(observation)[None], stack_requests([request], rows=8))[0]

    def infer_batch(self, observations, request):
        count = len(request.tick)
        noise = np.stack([rng.normal(size=self.space.shape) for rng in request.rng])
        last_rows = np.maximum(request.prefix_length - 1, 0)
        start = np.where(request.prefix_length[:, None] > 0, request.prefix[np.arange(count), last_rows], 0.0)
        memory = self.remembered(count, request)
        chunks = start[:, None] + noise + memory + 0.01 * np.sum(observations, axis=1)[:, None, None]
        self.last = chunks.astype(np.float32)
        return self.last.copy()

    def remembered(self, count, request):
        if self.last is None:
            return np.zeros((count, *self.space.shape))
        return np.where(request.tick[:, None, None] == 0, 0.0, 0.1 * self.last)


def pendulum(execution_horizon=4):
    return ChunkedExecution(gym.make("Pendulum-v1"), 8, execution_horizon, latency=2)


class TestGoodPolicy(PolicyContract):
    def make_policy(self):
        return Continues(self.make_env().action_space)

    def make_env(self):
        return pendulum()


class TestGoodPolicyInBatches(TestGoodPolicy):
    def make_policy(self):
        return ContinuesInBatches(self.make_env().action_space)


class Sampler:
    """Random members of any chunk space, without memory and without a reset."""

    def __init__(self, space):
        self.space = space

    def infer(self, observation, request):
        space = copy.deepcopy(self.space)
        space.seed(int(request.rng.integers(2**31)))
        return space.sample()


@pytest.mark.parametrize("space", ACTIONS.values(), ids=ACTIONS)
class TestGoodPolicyOfAnyActions(PolicyContract):
    @pytest.fixture(autouse=True)
    def _choose(self, space):
        self.make_env = lambda: ChunkedExecution(Recorder(space), 6, 3, latency=2)

    def make_policy(self):
        return Sampler(self.make_env().action_space)


def test_a_world_that_leaves_no_rows_is_skipped():
    make_policy = functools.partial(Continues, pendulum().action_space)
    contract = contract_with(PolicyContract, make_policy=make_policy, make_env=lambda: pendulum(8))
    with pytest.raises(unittest.SkipTest, match="give make_env a shorter execution_horizon"):
        contract.test_it_infers_with_a_full_prefix()


class InDoublePrecision(Continues):
    def infer(self, observation, request):
        return super().infer(observation, request).astype(np.float64)


class OneRow(Continues):
    def infer(self, observation, request):
        return super().infer(observation, request)[0]


class NotFinite(Continues):
    def infer(self, observation, request):
        return super().infer(observation, request) * np.float32(np.nan)


class Normalises(Continues):
    def infer(self, observation, request):
        observation /= 8.0
        return super().infer(observation, request)


class WritesIntoThePrefix(Continues):
    def infer(self, observation, request):
        request.left_over[:] = 0.0
        return super().infer(observation, request)


class WithAStreamOfItsOwn(Continues):
    def infer(self, observation, request):
        return super().infer(observation, request._replace(rng=np.random.default_rng()))


class WithTheGlobalStream(Continues):
    def infer(self, observation, request):
        return super().infer(observation, request._replace(rng=np.random))


class WithPythonsStream(Continues):
    def infer(self, observation, request):
        return super().infer(observation, request) + np.float32(random.random())


class NeverForgets(Continues):
    def reset(self):
        pass


class OneChunk(Continues):
    """One array for all chunks."""

    def infer(self, observation, request):
        chunk = super().infer(observation, request)
        self.buffer = getattr(self, "buffer", np.empty_like(chunk))
        self.buffer[:] = chunk
        return self.buffer


class RemembersTheCallersArray(Continues):
    def infer(self, observation, request):
        self.last = super().infer(observation, request)
        return self.last


class NeedsAPrefix(Continues):
    def infer(self, observation, request):
        request.prefix[-1]
        return super().infer(observation, request)


class NeedsAShortPrefix(Continues):
    def infer(self, observation, request):
        np.zeros(2)[: request.prefix_length] + request.prefix[:, 0]
        return super().infer(observation, request)


class CutsItsChunk(Continues):
    """A chunk without the rows that come too late."""

    def infer(self, observation, request):
        return super().infer(observation, request)[request.delay_estimate :]


class FlatBatches(ContinuesInBatches):
    def infer_batch(self, observations, request):
        return super().infer_batch(observations, request)[..., 0]


class BatchesInDoublePrecision(ContinuesInBatches):
    def infer_batch(self, observations, request):
        return super().infer_batch(observations, request).astype(np.float64)


class NormalisesOverTheBatch(ContinuesInBatches):
    """What one gets depends on who else is there."""

    def infer_batch(self, observations, request):
        return super().infer_batch(observations - observations.mean(axis=0), request)


class WithOneStreamForAll(ContinuesInBatches):
    """Equal requests do get equal chunks, alone; in a batch they depend on who comes first."""

    def infer_batch(self, observations, request):
        return super().infer_batch(observations, request._replace(rng=request.rng[:1] * len(request.rng)))


class BatchesWithTheGlobalStream(ContinuesInBatches):
    """Alone it draws from its stream, in a batch it has forgotten to."""

    def infer_batch(self, observations, request):
        alone = len(request.tick) == 1
        return super().infer_batch(observations, request if alone else request._replace(rng=[np.random] * 3))


class NumbersItsRows(ContinuesInBatches):
    def infer_batch(self, observations, request):
        chunks = super().infer_batch(observations, request)
        return chunks + 0.1 * np.arange(len(chunks), dtype=np.float32)[:, None, None]


class RowsNeverForget(ContinuesInBatches):
    """It waits for a reset(), which a batch has no use for."""

    def remembered(self, count, request):
        return 0.0 if self.last is None else 0.1 * self.last


class BatchForgetsWithAnyRow(ContinuesInBatches):
    def remembered(self, count, request):
        return 0.0 if self.last is None or (request.tick == 0).any() else 0.1 * self.last


class ReadsTheFilling(ContinuesInBatches):
    """The mean of what is left, zeros included: what a padded prefix does to a policy."""

    def infer_batch(self, observations, request):
        return super().infer_batch(observations + request.left_over.mean(axis=(1, 2))[:, None], request)


BROKEN_POLICIES = {
    "test_chunks_are_members_of_the_chunk_space": [
        ("the chunk has dtype float64; expected float32", InDoublePrecision),
        ("the chunk has shape (1,); expected (8, 1)", OneRow),
        ("expected finite numbers everywhere", NotFinite),
    ],
    "test_the_observation_is_not_changed": [("infer has changed what it was given: observation is", Normalises)],
    "test_the_request_is_not_changed": [("changed what it was given: request['left_over'] is", WritesIntoThePrefix)],
    "test_the_same_stream_gives_the_same_chunks": [("the same seed of request.rng gives other", WithAStreamOfItsOwn)],
    "test_the_global_random_state_is_not_read": [
        ("the chunks depend on the global", WithTheGlobalStream),
        ("the chunks depend on the global", WithPythonsStream),
    ],
    "test_the_global_random_state_is_not_changed": [
        ("infer has changed the global state", WithTheGlobalStream),
        ("infer has changed the global state", WithPythonsStream),
    ],
    "test_a_reset_forgets_the_last_episode": [("after other episodes and reset()", NeverForgets)],
    "test_a_chunk_is_not_overwritten_later": [("a chunk was changed by a later infer: chunk[0]", OneChunk)],
    "test_a_chunk_may_be_overwritten_by_its_owner": [("writing into a chunk", RemembersTheCallersArray)],
    "test_it_infers_with_an_empty_prefix": [
        ("with an empty prefix and a delay of 0 it raised IndexError", NeedsAPrefix),
        ("the chunk has shape (7, 1); expected (8, 1)", CutsItsChunk),
    ],
    "test_it_infers_with_a_full_prefix": [
        ("with all rows left as its prefix and 0 underruns it raised ValueError", NeedsAShortPrefix),
        ("it raised ActionError", CutsItsChunk),
    ],
    "test_a_batch_has_a_chunk_for_each_request": [
        ("the chunk has shape (3, 8); expected (3, 8, 1)", FlatBatches),
        ("the chunk has dtype float64; expected float32", BatchesInDoublePrecision),
    ],
    "test_a_batch_answers_as_one_by_one": [
        ("a row of infer_batch is not what infer answers to the same request", NormalisesOverTheBatch),
        ("a row of infer_batch is not what infer answers to the same request", WithOneStreamForAll),
        ("a row of infer_batch is not what infer answers to the same request", BatchesWithTheGlobalStream),
    ],
    "test_the_order_of_a_batch_does_not_matter": [
        ("in another order of the batch a request gets another chunk", NumbersItsRows),
        ("in another order of the batch a request gets another chunk", WithOneStreamForAll),
    ],
    "test_a_row_that_begins_anew_forgets": [
        ("something of an episode is left in the row's next one", RowsNeverForget),
        ("something of an episode is left in the row's next one", BatchForgetsWithAnyRow),
    ],
    "test_a_batch_does_not_read_the_filling": [
        ("the chunk depends on rows behind the lengths of a request", ReadsTheFilling),
    ],
}


@pytest.mark.parametrize(("check", "words", "make"), cases(BROKEN_POLICIES))
def test_a_broken_policy_fails(check, words, make):
    space = pendulum().action_space
    expect_failure(PolicyContract, check, words, make_policy=lambda: make(space), make_env=pendulum)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (np.zeros((4, 2), np.float32), "expected the structure of Dict"),
        ({"arm": np.zeros((4, 2), np.float32)}, "expected the structure of Dict"),
        ({"arm": np.zeros((4, 2), np.float32), "grip": np.full(4, 2)}, "expected a member of MultiDiscrete([2 2 2 2])"),
    ],
)
def test_a_nested_chunk_that_is_no_member_is_named(wrong, words):
    make_env = functools.partial(ChunkedExecution, Recorder(ACTIONS["dict"]), 4)
    policy = SimpleNamespace(infer=lambda observation, request: wrong)
    contract = contract_with(PolicyContract, make_policy=lambda: policy, make_env=make_env)
    with pytest.raises(AssertionError, match=re.escape(words)):
        contract.test_chunks_are_members_of_the_chunk_space()


def test_every_check_has_something_that_fails_it():
    assert checks_of(PolicyContract) == set(BROKEN_POLICIES)
