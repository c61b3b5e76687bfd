"""What an environment of chunks promises, as checks to inherit."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import pairwise

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from chunkenv.testing import faults
from chunkenv.testing.expect import expect, expect_same, skip
from chunkenv.testing.perturbations import (
    corrupt,
    cut_short,
    expect_chunk_refused,
    expect_reset_needed,
    overwrite,
    overwrite_request,
)
from chunkenv.testing.random_rollouts import (
    Decision,
    chunk_layer,
    fields_of,
    play,
    read_request,
    record,
    rows_of,
    trace,
)
from chunkenv.utils.types import AnyEnv


class ChunkContract:
    """Checks of an environment of chunks: `ChunkedExecution` around your own, or a chunk wrapper of your own.

    Override `make_env` (a new environment at each call). What was really executed is recorded between the wrapper that
    plays the chunks and what it wraps; with info='full' the info of every tick is checked too.

        class TestMyTask(ChunkContract):
            def make_env(self):
                return ChunkedExecution(MyTask(), prediction_horizon=8, execution_horizon=4, latency=2, info="full")

    A wrapper of your own has `request`, `prediction_horizon` and `discount` (of one tick) as attributes, and `ticks`,
    `discount`, `delay`, `underruns` and `discarded` in info, as `ChunkedExecution` documents them.

    Attributes:
        decisions: how many decisions a rollout has; give more if your episodes are longer.
        oracle: whether `request.delay_estimate` must be the delay that is realised. None: if the wrapper that plays the
            chunks was made with delay_estimate='oracle'.
    """

    decisions: int = 60
    oracle: bool | None = None

    def make_env(self) -> AnyEnv:
        """A new environment of chunks: override this."""
        raise NotImplementedError(f"{type(self).__name__} must override make_env() to return an environment of chunks.")

    # The request

    def test_horizon_discount_and_request_are_offered(self) -> None:
        """What `chunkenv.evaluate` reads is there: prediction_horizon, discount, and a request that takes an rng."""
        with self._open() as env:
            env.reset(seed=0)
            for name in ("prediction_horizon", "discount"):
                expect(env.has_wrapper_attr(name), f"{env} has no attribute {name!r}; expected a number.")
            horizon, discount = env.get_wrapper_attr("prediction_horizon"), env.get_wrapper_attr("discount")
            request = read_request(env)
            rows = len(rows_of(env.action_space.sample(), request.left_over))
            expect(horizon == rows, f"prediction_horizon is {horizon!r}; expected {rows}, the rows of a chunk.")
            expect(0.0 <= discount <= 1.0, f"discount is {discount!r}; expected a number from 0 to 1.")
            expect(
                "rng" in getattr(request, "_fields", ()), f"the request {request!r} has no rng; expected a NamedTuple."
            )

    def test_a_reset_starts_at_tick_0_with_an_empty_prefix(self) -> None:
        """After nothing, after an episode that was broken off, and after one that ended."""
        with self._open() as env:
            for decisions in (0, 1, 2, self.decisions):
                for _ in play(env, decisions):
                    pass
                env.reset(seed=0)
                request = read_request(env)
                left = len(rows_of(request.left_over, request.left_over))
                actual = f"tick {request.tick}, prefix_length {request.prefix_length}, {left} rows of left_over"
                empty = request.tick == request.prefix_length == left == 0
                expect(empty, f"after {decisions} decisions and a reset the request has {actual}; expected 0 of each.")

    def test_the_tick_advances_by_the_ticks_played(self) -> None:
        """request.tick goes on by info['ticks']."""
        self._every_pair(faults.of_tick)

    def test_the_prefix_is_what_will_run_of_left_over(self) -> None:
        """Real rows only: prefix_length is the least of delay_estimate and the rows left."""
        self._every_decision(faults.of_prefix)

    def test_left_over_is_the_end_of_the_previous_chunk(self) -> None:
        """Never zeros in place of a plan."""
        self._every_decision(faults.of_left_over)

    def test_reading_the_request_changes_nothing(self) -> None:
        """It may be read never, once or often."""
        self._same_with(
            lambda env, _: (read_request(env), read_request(env)), "reading the request has changed the episode"
        )

    def test_an_oracle_knows_the_delay(self) -> None:
        """request.delay_estimate is info['delay'], if the estimate is the oracle's."""
        with self._open() as env:
            estimate = getattr(chunk_layer(env), "delay_estimate", None)
        oracle = estimate == "oracle" if self.oracle is None else self.oracle
        if not oracle:
            skip("the delay estimate is not the oracle's.")
        self._every_decision(faults.of_delay_estimate)

    # Execution

    def test_ticks_are_the_control_steps_played(self) -> None:
        """info['ticks'] counts the wrapped environment's steps."""
        self._every_decision(faults.of_ticks)

    def test_the_rows_left_are_executed_first(self) -> None:
        """While the inference is under way, the rows of left_over run."""
        self._every_decision(faults.of_executed_prefix)

    def test_the_new_rows_run_in_their_own_ticks(self) -> None:
        """Row i in tick i (overlap), or i ticks after the chunk arrived (synchronous)."""
        self._every_decision_in_one_mode(faults.of_executed_chunk)

    def test_the_next_request_comes_after_the_execution_horizon(self) -> None:
        """After max(s, delay) ticks (overlap), or delay + s (synchronous), unless the episode ends."""
        self._every_decision_in_one_mode(faults.of_cycle)

    def test_nothing_runs_past_an_end(self) -> None:
        """An episode that ends inside a chunk ends the decision there, and the flags keep their meaning."""
        self._every_decision(faults.of_end)

    # Counts

    def test_info_has_its_keys(self) -> None:
        """Ticks, delay, underruns and discarded rows are whole numbers, the discount a float."""
        self._every_decision(faults.of_info)

    def test_underruns_and_executed_rows_are_the_ticks(self) -> None:
        """Every tick without a row is counted, and no other."""
        self._every_decision(faults.of_underruns)

    def test_every_row_is_executed_discarded_or_left(self) -> None:
        """info['discarded'] counts the rows that never run."""
        self._every_pair(faults.of_rows)

    def test_the_discount_is_0_only_where_terminated(self) -> None:
        """info['discount'] is discount**ticks, 0.0 if terminated; a truncation leaves it alone."""
        self._every_decision(partial(faults.of_discount, discount=self._discount()))

    def test_the_reward_is_the_discounted_sum(self) -> None:
        """Sum of discount**i * r_i over the ticks played."""
        self._every_decision(partial(faults.of_reward, discount=self._discount()))

    def test_flags_are_bool_and_the_reward_a_finite_float(self) -> None:
        """Plain types, which every agent library takes."""
        self._every_decision(faults.of_types)

    def test_the_account_of_every_tick_is_true(self) -> None:
        """info='full': rewards, actions, sources, staleness and observations, one a tick."""
        self._every_decision(faults.of_account)

    # State

    def test_the_same_seed_gives_the_same_episode(self) -> None:
        """Observations, rewards, delays and requests."""
        with self._open() as env, self._open() as other:
            expected, actual = trace(env, self.decisions), trace(other, self.decisions)
        expect_same(expected, actual, "decision", "two environments with the same seed and chunks play two episodes")

    def test_nothing_survives_a_reset(self) -> None:
        """An episode is the same after another one as in a new environment."""
        with self._open() as env, self._open() as used:
            for decisions in (3, 5, self.decisions):  # to end somewhere, most likely in the middle of an episode
                for _ in play(used, decisions, seed=decisions):
                    pass
                expected, actual = trace(env, self.decisions), trace(used, self.decisions)
                expect_same(expected, actual, "decision", "an episode differs after another one was broken off")

    def test_nothing_returned_changes_later(self) -> None:
        """Observations, infos and requests are the caller's to keep."""
        with self._open() as env:
            kept, copies = [], []
            for decision in play(env, self.decisions):
                returned = {"observation": decision.observation, "info": decision.info}
                kept.append({"before": decision.before, "request": fields_of(decision.request)} | returned)
                copies.append(decision.asked | copy.deepcopy(returned))
            expect_same(copies, kept, "decision", "what was returned has changed later")

    def test_the_chunk_may_be_overwritten_after_the_step(self) -> None:
        """The environment copies what it still needs."""
        self._same_with(
            lambda _, decision: overwrite(decision.chunk),
            "writing into the chunk after its step has changed the episode",
        )

    def test_the_observation_may_be_overwritten(self) -> None:
        """The wrapper does not read again what it returned (the wrapped environment may)."""
        why = "writing into an observation that was returned has changed the episode"
        with self._open() as env, self._open() as perturbed:
            if recorder := record(perturbed):
                recorder.copies = True
            expected = trace(env, self.decisions)
            actual = trace(perturbed, self.decisions, lambda _, decision: overwrite(decision.observation))
            expect_same(expected, actual, "decision", why)

    def test_the_request_may_be_overwritten(self) -> None:
        """Writing into prefix and left_over changes no plan."""
        self._same_with(lambda env, _: overwrite_request(env), "writing into the request has changed the episode")

    def test_a_step_before_the_reset_is_refused(self) -> None:
        """With gymnasium.error.ResetNeeded."""
        with self._open() as env:
            expect_reset_needed(env, "before the first reset")

    def test_a_step_after_the_end_is_refused(self) -> None:
        """With gymnasium.error.ResetNeeded; after a reset it goes on."""
        with self._open() as env:
            if not any(decision.ended for decision in play(env, 10 * self.decisions)):
                skip(f"no episode ended within {10 * self.decisions} decisions.")
            expect_reset_needed(env, "after the end of an episode")
            env.reset(seed=0)
            env.step(env.action_space.sample())

    def test_a_chunk_of_the_wrong_shape_is_refused(self) -> None:
        """With an error, and nothing has moved: the next chunk is played as if nothing had happened."""
        self._same_with(
            lambda env, _: expect_chunk_refused(env, cut_short), "a chunk that was refused has moved something"
        )

    def test_a_chunk_with_nan_or_out_of_range_is_refused(self) -> None:
        """The same for NaN in a Box and for a number that a discrete space does not have, in the last row."""
        self._same_with(
            lambda env, _: expect_chunk_refused(env, corrupt), "a chunk that was refused has moved something"
        )

    def test_it_pickles(self) -> None:
        """A copy out of a pickle plays the same episode."""
        with self._open() as env:
            try:
                pickled = pickle.dumps(env)
            except Exception as error:
                raise AssertionError(f"{env} cannot be pickled ({error}); expected it to reach a worker.") from error
            self._expect_twin(env, pickle.loads(pickled), "the unpickled environment plays another episode")

    def test_it_rebuilds_from_its_spec(self) -> None:
        """gymnasium.make(env.spec) plays the same episode."""
        with self._open() as env:
            self._expect_twin(env, _rebuild(env, lambda spec: spec), "gym.make(env.spec) plays another episode")

    def test_its_spec_goes_through_json(self) -> None:
        """As datasets keep it: EnvSpec.from_json(env.spec.to_json()) plays the same episode."""
        with self._open() as env:
            twin = _rebuild(env, lambda spec: EnvSpec.from_json(spec.to_json()))
            self._expect_twin(env, twin, "the environment out of its spec's JSON plays another episode")

    # How the checks are made

    def _open(self) -> closing[AnyEnv]:
        return closing(self.make_env())

    def _discount(self) -> float:
        with self._open() as env:
            return float(env.get_wrapper_attr("discount"))

    def _every_decision(self, fault: Callable[[Decision], str | None]) -> None:
        with self._open() as env:
            for number, decision in enumerate(play(env, self.decisions)):
                sentence = fault(decision)
                expect(sentence is None, f"decision {number}: {sentence}")

    def _every_pair(self, fault: Callable[[Decision, Decision], str | None]) -> None:
        with self._open() as env:
            for number, (decision, later) in enumerate(pairwise(play(env, self.decisions))):
                sentence = fault(decision, later)
                expect(sentence is None, f"decision {number}: {sentence}")

    def _every_decision_in_one_mode(self, fault: Callable[[Decision, bool], str | None]) -> None:
        """With overlap or without: one of both must hold in every decision."""
        with self._open() as env:
            decisions = list(play(env, self.decisions))
        faults_of = {overlap: [fault(decision, overlap) for decision in decisions] for overlap in (True, False)}
        first = {overlap: next(filter(None, found), None) for overlap, found in faults_of.items()}
        both = f"it is no asynchronous robot: {first[True]} And no synchronous one: {first[False]}"
        expect(None in first.values(), both)

    def _same_with(self, perturb: Callable[[AnyEnv, Decision], object], why: str) -> None:
        with self._open() as env, self._open() as other:
            expected, actual = trace(env, self.decisions), trace(other, self.decisions, perturb)
        expect_same(expected, actual, "decision", why)

    def _expect_twin(self, env: AnyEnv, twin: AnyEnv, why: str) -> None:
        with closing(twin):
            expect_same(trace(env, self.decisions), trace(twin, self.decisions), "decision", why)


def _rebuild(env: AnyEnv, through: Callable[[EnvSpec], EnvSpec]) -> AnyEnv:
    if env.spec is None:
        skip(f"{env} has no spec: what it wraps was not made with gymnasium.make.")
    try:
        return gym.make(through(env.spec))
    except Exception as error:
        raise AssertionError(f"{env} cannot be rebuilt from its spec ({error}); expected the same again.") from error
