"""What a policy promises, as checks to inherit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from operator import itemgetter
from typing import NamedTuple, cast

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from chunkenv.evaluate import reset_policy
from chunkenv.request import BatchPolicy, Chunk, Policy, Request
from chunkenv.strategies.requests import map_arrays
from chunkenv.testing.batch_policy import (
    BatchDecision,
    EpisodeStreams,
    change_filling,
    expect_close,
    infer_batch,
    infer_one_by_one,
    play_batch,
)
from chunkenv.testing.choices import action_of, ask_budget, read_answer
from chunkenv.testing.expect import difference, expect, expect_same, global_randomness, seeded_global_randomness, skip
from chunkenv.testing.perturbations import overwrite
from chunkenv.testing.random_rollouts import parts_of, read_request
from chunkenv.utils.spaces import map_parts
from chunkenv.utils.types import AnyEnv, AnySpace, Observation


class RecordedInference(NamedTuple):
    """One inference: what went in, with copies made before it, and the answer: the chunk, perhaps with its horizon."""

    observation: Observation
    request: Request
    observation_before: Observation
    request_before: Request
    chunk: Chunk


class PolicyContract:
    """Checks of a policy: override `make_policy` and `make_env`, a world that it can act in (new ones at each call).

        class TestMyPolicy(PolicyContract):
            def make_policy(self):
                return MyPolicy(hidden=64)

            def make_env(self):
                return ChunkedExecution(gym.make("Pendulum-v1"), prediction_horizon=8, execution_horizon=4, latency=2)

    The policy is called as `chunkenv.evaluate` calls it: `reset()` if it has one, then `infer(observation, request)`
    with a generator in `request.rng`. Choose execution_horizon < prediction_horizon: then rows are left for a prefix.

    If it also has `infer_batch(observations, request)`, it answers several episodes at once: `request` is a
    `chunkenv.vector.VectorRequest`, `request.rng` a tuple with one generator an episode, and an episode begins anew
    wherever `request.tick` is 0.

    Where the environment lets it choose horizons it may return `(chunk, horizon)`; where it lets it choose delays,
    `budget(observation, request)` (`budget_batch` for many) is asked first.

    Attributes:
        decisions: how many decisions a rollout has at most.
        batch: how many episodes are answered at once.
        tolerance: how far numbers of a batch may lie from those of the same requests answered in another way,
            absolutely or relatively: sums are added up in another order there.
    """

    decisions: int = 20
    batch: int = 3
    tolerance: float = 1e-4

    def make_policy(self) -> Policy:
        """A new policy: override this."""
        raise NotImplementedError(f"{type(self).__name__} must override make_policy() to return a policy.")

    def make_env(self) -> AnyEnv:
        """A new environment of chunks that the policy can act in: override this."""
        raise NotImplementedError(f"{type(self).__name__} must override make_env() to return a ChunkedExecution.")

    def test_chunks_are_members_of_the_chunk_space(self) -> None:
        """Shape and dtype of env.action_space, finite everywhere, discrete numbers in range."""
        with self._open() as env:
            for inference in inferences(self.make_policy(), env, self.decisions):
                expect_chunk(*read_answer(env, inference.chunk))

    def test_the_observation_is_not_changed(self) -> None:
        """It belongs to the caller, who may store it."""
        for inference in self._inferences():
            expect_same(
                inference.observation_before,
                inference.observation,
                "observation",
                "infer has changed what it was given",
            )

    def test_the_request_is_not_changed(self) -> None:
        """Prefix and left_over are not the policy's to write into."""
        for inference in self._inferences():
            before, after = (dict(r._asdict(), rng=None) for r in (inference.request_before, inference.request))
            expect_same(before, after, "request", "infer has changed what it was given")

    def test_the_same_stream_gives_the_same_chunks(self) -> None:
        """All randomness comes from request.rng."""
        self._expect_chunks(self._chunks(self.make_policy()), "the same seed of request.rng gives other chunks")

    def test_the_global_random_state_is_not_read(self) -> None:
        """Chunks are the same whatever numpy.random.seed and random.seed were given."""
        with seeded_global_randomness(1):
            actual = self._chunks(self.make_policy())
        with seeded_global_randomness(2):
            self._expect_chunks(actual, "the chunks depend on the global random state")

    def test_the_global_random_state_is_not_changed(self) -> None:
        """No other randomness depends on how often a policy infers."""
        with seeded_global_randomness(1), self._open() as env:
            for _ in inferences(self.make_policy(), env, self.decisions, infer=infer_watched):
                pass

    def test_a_reset_forgets_the_last_episode(self) -> None:
        """The same episode gets the same chunks, also after another one."""
        policy = self.make_policy()
        for seed in (1, 2):
            self._chunks(policy, seed)
        self._expect_chunks(self._chunks(policy), "after other episodes and reset() an episode gets other chunks")

    def test_a_chunk_is_not_overwritten_later(self) -> None:
        """The chunk belongs to the caller: the next infer makes a new one."""
        answers = [(inference.chunk, copy.deepcopy(inference.chunk)) for inference in self._inferences()]
        kept, copies = [answer[0] for answer in answers], [answer[1] for answer in answers]
        expect_same(copies, kept, "chunk", "a chunk was changed by a later infer")

    def test_a_chunk_may_be_overwritten_by_its_owner(self) -> None:
        """What the policy remembers of its chunk is a copy."""
        actual = []
        for inference in self._inferences():
            actual.append(copy.deepcopy(inference.chunk))
            overwrite(inference.chunk)
        self._expect_chunks(actual, "writing into a chunk that was returned changes the following ones")

    def test_it_infers_with_an_empty_prefix(self) -> None:
        """At the start of an episode, with and without a delay until the chunk arrives."""
        for underruns in (0, 1, 4):
            self._expect_answers(1, underruns, f"an empty prefix and a delay of {underruns}")

    def test_it_infers_with_a_full_prefix(self) -> None:
        """All rows left of its own previous chunk are the prefix, and underruns may follow."""
        for underruns in (0, 2):
            *_, last = self._expect_answers(2, underruns, f"all rows left as its prefix and {underruns} underruns")
            if not len(parts_of(last.request.left_over)[0]):
                skip("no rows are left of the first chunk; give make_env a shorter execution_horizon, with overlap.")

    # Many requests at once, if it can answer them

    def test_a_batch_has_a_chunk_for_each_request(self) -> None:
        """Shape and dtype of as many members of env.action_space, finite everywhere."""
        with self._open() as env:
            for decision in self._batches():
                expect_chunk(*read_answer(env, decision.chunks, self.batch))

    def test_a_batch_answers_as_one_by_one(self) -> None:
        """A row is what `infer` answers to its request, with the same stream: no other row matters."""
        self._expect_one_by_one(
            list(self._batches()), "a row of infer_batch is not what infer answers to the same request"
        )

    def test_the_order_of_a_batch_does_not_matter(self) -> None:
        """The same requests in another order get the same chunks in that order."""
        record, order = list(self._batches()), list(range(self.batch))[::-1]
        policy, streams = self._make_batch_policy(), EpisodeStreams()
        reset_policy(policy)
        for decision in record:
            actual = infer_batch(policy, decision, order, streams, self._rows())
            expected = map_arrays(lambda part: np.asarray(part)[order], decision.chunks)
            expect_close(expected, actual, self.tolerance, "in another order of the batch a request gets another chunk")

    def test_a_row_that_begins_anew_forgets(self) -> None:
        """Where request.tick is 0 an episode begins, while others go on, so that there is no reset()."""
        record = list(self._batches(restart_every=4))
        self._expect_one_by_one(record, "with infer_batch, something of an episode is left in the row's next one")

    def test_a_batch_does_not_read_the_filling(self) -> None:
        """Rows of prefix and left_over behind their lengths are no plan."""
        record, policy, streams = list(self._batches()), self._make_batch_policy(), EpisodeStreams()
        reset_policy(policy)
        for decision in record:
            actual = infer_batch(policy, decision, range(self.batch), streams, self._rows(), change=change_filling)
            expect_close(
                decision.chunks, actual, self.tolerance, "the chunk depends on rows behind the lengths of a request"
            )

    def _batches(self, restart_every: int = 0) -> Iterator[BatchDecision]:
        return play_batch(self._make_batch_policy(), self.make_env, self.batch, self.decisions, restart_every)

    def _make_batch_policy(self) -> BatchPolicy:
        policy = self.make_policy()
        if not callable(getattr(policy, "infer_batch", None)):
            skip("it has no infer_batch.")
        return cast("BatchPolicy", policy)

    def _rows(self) -> int:
        with self._open() as env:
            return env.get_wrapper_attr("prediction_horizon")

    def _expect_one_by_one(self, record: list[BatchDecision], why: str) -> None:
        for index in range(self.batch):
            alone = infer_one_by_one(self.make_policy, record, index)
            for decision, expected in zip(record, alone, strict=True):
                actual = map_arrays(itemgetter(index), decision.chunks)
                expect_close(expected, actual, self.tolerance, why)

    def _expect_answers(self, decisions: int, underruns: int, what: str) -> list[RecordedInference]:
        """Let a new policy infer with everything left as the prefix, and some underruns more."""
        infer = partial(infer_late, underruns=underruns)
        with self._open() as env:
            try:
                answers = list(inferences(self.make_policy(), env, decisions, infer=infer))
            except Exception as error:
                raise AssertionError(f"with {what} it raised {error!r}; expected a chunk.") from error
            expect_chunk(*read_answer(env, answers[-1].chunk))
            return answers

    def _open(self) -> closing[AnyEnv]:
        return closing(self.make_env())

    def _inferences(self) -> Iterator[RecordedInference]:
        with self._open() as env:
            yield from inferences(self.make_policy(), env, self.decisions)

    def _chunks(self, policy: Policy, seed: int = 0) -> list[Chunk]:
        """Copies of the chunks of one episode."""
        with self._open() as env:
            return [copy.deepcopy(answer.chunk) for answer in inferences(policy, env, self.decisions, seed)]

    def _expect_chunks(self, actual: list[Chunk], why: str) -> None:
        expect_same(self._chunks(self.make_policy()), actual, "chunk", why)


def inferences(
    policy: Policy,
    env: AnyEnv,
    decisions: int,
    seed: int = 0,
    infer: Callable[[Policy, Observation, Request], Chunk] | None = None,
) -> Iterator[RecordedInference]:
    """One episode, or its first decisions; each chunk is shown before it is played."""
    reset_policy(policy)
    rng = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    for _ in range(decisions):
        request, delay = ask_budget(policy, env, observation, read_request(env)._replace(rng=rng))
        before = copy.deepcopy((observation, request))
        chunk = infer(policy, observation, request) if infer else policy.infer(observation, request)
        played = copy.deepcopy(chunk)  # a check that looks at the chunk may write into it
        yield RecordedInference(observation, request, *before, chunk)
        observation, _, terminated, truncated, _ = env.step(action_of(env, played, delay))
        if terminated or truncated:
            return


def infer_late(policy: Policy, observation: Observation, request: Request, underruns: int) -> Chunk:
    """Infer with all rows left as the prefix, and a delay of some underruns more."""
    length = len(parts_of(request.left_over)[0])
    prefix = copy.deepcopy(request.left_over)
    return policy.infer(
        observation, request._replace(prefix=prefix, prefix_length=length, delay_estimate=length + underruns)
    )


def infer_watched(policy: Policy, observation: Observation, request: Request) -> Chunk:
    """Infer, and fail if the global random state was changed."""
    before = global_randomness()
    chunk = policy.infer(observation, request)
    unchanged = difference(before, global_randomness(), "") is None
    expect(
        unchanged, "infer has changed the global state of random or numpy.random; expected only request.rng to move."
    )
    return chunk


def expect_chunk(space: AnySpace, chunk: Chunk) -> None:
    """Fail unless a chunk is a member of its space; values beyond a Box's bounds are clipped by the environment."""
    try:
        map_parts(_expect_part, space, chunk)
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise AssertionError(f"the chunk is {chunk!r}; expected the structure of {space} ({error}).") from error


def _expect_part(leaf: AnySpace, part: ArrayLike) -> None:
    array = np.asarray(part)
    for name in ("shape", "dtype"):
        actual, expected = getattr(array, name), getattr(leaf, name)
        expect(actual == expected, f"the chunk has {name} {actual}; expected {expected}, as in {leaf}.")
    if isinstance(leaf, spaces.Box):
        expect(np.isfinite(array).all(), f"the chunk is {array.tolist()}; expected finite numbers everywhere.")
    else:
        expect(leaf.contains(array), f"the chunk is {array.tolist()}; expected a member of {leaf}.")
