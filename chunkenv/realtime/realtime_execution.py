"""A control loop that keeps its period while a policy thinks, with the account of the simulated clock."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from chunkenv.clock import Horizon, Inference, TickClock
from chunkenv.errors import ArgumentError, PolicyFault, brief
from chunkenv.evaluate import Row, Tally, check_policy, episode_seed
from chunkenv.latency.trace_file import TraceRow
from chunkenv.realtime.control_loop import EpisodeLoop, LoopParts
from chunkenv.realtime.deadlines import ControlClock, MonotonicClock
from chunkenv.realtime.decision_account import PlayedDecision
from chunkenv.realtime.inferring import AnswerReader, HostedPolicy, InferenceWorker, check_stream, makes_policy
from chunkenv.realtime.lanes import LanePool, ThreadHandle, process_handle
from chunkenv.realtime.row_reader import RowReader
from chunkenv.request import DelayEstimate, Policy, Request
from chunkenv.utils.checks import expect_env, one_of, real_number, true_or_false, whole_number
from chunkenv.utils.spaces import chunk_space, cut, padding
from chunkenv.utils.types import Action, AnyEnv, AnySpace, is_list
from chunkenv.wrappers.corrections import Correction
from chunkenv.wrappers.options import read_observer
from chunkenv.wrappers.prefix_observation import PrefixObservation
from chunkenv.wrappers.underrun import Underrun

GRACE = 2.0
"""Seconds that an idle worker has to end by itself."""


class RealtimeExecution:
    """Runs a policy beside a control loop that keeps its period, as `ChunkedExecution` simulates it.

    The loop steps the environment once in every period of `control_dt` seconds; the policy infers in another thread or
    process. In each tick, in this order: chunks that have come arrive, a request is made if one is due, a row runs. The
    delay of an inference is the number of ticks until control sees its chunk: it is measured, never estimated and never
    clamped. Underruns, prefixes, rows and the account are those of `chunkenv.clock`.

    Deadlines are start + k * control_dt. A tick that is late runs at once, and does not move the deadlines after it. A
    deadline that passes while a tick is still running is missed: no tick is made up for it, and delays count the ticks
    that were begun.

    With cold_start='free' time begins when the first chunk is there; with 'charged' it begins at the reset, and ticks
    are underruns until then. After the last tick of an episode the loop waits for what is still under way, so that the
    next episode begins with an idle policy, and no chunk runs in another episode than its own.

    Args:
        env: a Gymnasium environment whose step is one tick, and takes less time than one. It is not closed.
        policy: has `infer(observation, request) -> chunk`, and `reset()` if it remembers anything; or a function
            without arguments that makes one, which is called where the policy runs.
        prediction_horizon: rows in a chunk, H.
        execution_horizon: ticks between two requests, s <= H; (low, high): the policy chooses, and may return
            `(chunk, horizon)`. None: H - typical_delay, at least 1; H without overlap.
        control_dt: seconds per tick.
        worker: 'process' (needed where inference is Python that holds the interpreter's lock: else it stops the loop,
            too), 'thread' (for a policy that leaves the interpreter while it computes, or asks a server), or an
            `InferenceWorker`, such as a `ScriptedWorker`. A script that uses 'process' must run the loop under
            `if __name__ == "__main__":`.
        clock: the time, a `ControlClock`; None: that of this machine.
        overlap: as `ChunkedExecution` has it, and the next ones.
        underrun: what acts in a tick without a row.
        cold_start: 'free' or 'charged'.
        discount: per tick, of the rewards that decisions report.
        observe_prefix: as `ChunkedExecution` has it: the policy sees prefix, its length and the delay estimate.
        delay_estimate: what requests expect: 'last', 'mean' or 'max' (of the last 10), 'mean:n', 'max:n'. An oracle
            there is none.
        typical_delay: ticks that are expected before an inference of the episode has been met.
        info: 'basic', 'actions' or 'full'.
        first_action: what 'hold' executes before anything was.
        max_in_flight: inferences under way at a time, k, each in a thread or process of its own. The policy must not
            need to see every request then. Chunks in flight are not known, so a prefix ends where one should arrive.
        request_period: with several in flight, ticks that pass at least between two requests.
        correction: as `ChunkedExecution` has it: `correct(observation, row, row_index, tick, rng)` in every tick that
            has a row, inside the loop: it must be quick.
        warm_up: inferences before the first reset, on an observation out of the space; they are in no trace.
        timeout: seconds after which an inference is given up, and its process ended.
        start_timeout: seconds that making the policy may take, and each warm-up inference.
        on_fault: what happens when the policy raises, gives no answer in time, or returns what cannot be executed:
            'raise' a `PolicyFault`; 'underrun', to go on with the rows that are left, and then with what acts in an
            underrun; 'end', to truncate the episode. `info['fault']` says why. Rows that streamed before stay.
        stream: whether the policy streams its rows, by `infer_stream` in place of `infer`: each acts as soon as it is
            there, and `info['row_delays']` says when. On a free start time begins when the last one is there.

    Attributes:
        trace: the inferences of the last run, to be written with `chunkenv.latency.write_trace`. Those that failed are
            not in it, so that a run with faults is not replayed tick for tick.
        faults: what the policy did wrong in the last run, with on_fault='underrun' or 'end'.
        late_ticks: ticks of the last run that began more than a tenth of a period after their deadline.
        missed_deadlines: deadlines of the last run for which no tick was begun.

    Raises:
        ArgumentError: for an invalid argument, with what would be right.

    >>> import gymnasium as gym
    >>> class Left:
    ...     def infer(self, observation, request):
    ...         return [0] * 8
    >>> loop = RealtimeExecution(gym.make("CartPole-v1"), Left(), 8, 4, control_dt=0.02, worker="thread")
    >>> rows = loop.run(episodes=2, seed=0)
    >>> [row["ticks"] for row in rows]
    [9, 9]
    """

    def __init__(
        self,
        env: AnyEnv,
        policy: Policy | Callable[[], Policy],
        prediction_horizon: int,
        execution_horizon: Horizon = None,
        *,
        control_dt: float,
        worker: str | InferenceWorker = "process",
        clock: ControlClock | None = None,
        overlap: bool = True,
        underrun: Action = "hold",
        cold_start: str = "free",
        discount: float = 1.0,
        observe_prefix: bool | str = False,
        delay_estimate: str = "max",
        typical_delay: int = 1,
        info: str = "basic",
        first_action: Action | None = None,
        max_in_flight: int = 1,
        request_period: int | None = None,
        correction: object = None,
        warm_up: int = 1,
        timeout: float = 10.0,
        start_timeout: float = 300.0,
        on_fault: str = "raise",
        stream: bool = False,
    ) -> None:
        _check_env(env)
        _check_policy(policy)
        if true_or_false("stream", stream):
            _check_stream(policy, execution_horizon)
        typical_delay = whole_number("typical_delay", typical_delay, at_least=0)
        ticks = TickClock(
            prediction_horizon, execution_horizon, overlap, cold_start, typical_delay, max_in_flight, request_period
        )
        chunks = chunk_space(env.action_space, ticks.prediction_horizon)
        on_fault = one_of("on_fault", on_fault, ("raise", "underrun", "end"))
        late_first = ticks.cold_start == "charged" or on_fault == "underrun"
        rows = RowReader(env.action_space, ticks.prediction_horizon) if stream else None
        self._hosted = HostedPolicy(policy, AnswerReader(chunks, ticks.horizons), rows)
        self._has_cost = getattr(policy, "cost", None) is not None  # of one that is made: what warming up shows
        self._given_worker = _read_worker(worker)
        self._warm_up = whole_number("warm_up", warm_up, at_least=0)
        self._start_timeout = _seconds("start_timeout", start_timeout)
        self._parts = LoopParts(
            env=env,
            clock=ticks,
            time=MonotonicClock() if clock is None else clock,
            control_dt=_seconds("control_dt", control_dt),
            estimate=_read_estimate(delay_estimate, typical_delay),
            chunks=chunks,
            underrun=Underrun(underrun, env.action_space, first_action, may_come_first=late_first),
            discount=real_number("discount", discount, at_least=0.0, at_most=1.0),
            info=one_of("info", info, ("basic", "actions", "full")),
            observe=_read_observer(observe_prefix, env, chunks, ticks.max_in_flight),
            correction=None if correction is None else Correction(correction, env.action_space),
            on_fault=on_fault,
            timeout=_seconds("timeout", timeout),
            streams=stream,
        )
        self._forget_run()

    @property
    def control_dt(self) -> float:
        """Seconds per tick."""
        return self._parts.control_dt

    @property
    def chunk_space(self) -> AnySpace:
        """The space of chunks."""
        return self._parts.chunks

    def run(self, episodes: int, seed: int, on_decision: Callable[[PlayedDecision], None] | None = None) -> list[Row]:
        """Play whole episodes and return one row for each.

        Args:
            episodes: how many, at least 1.
            seed: at least 0; episode i has the seed that `chunkenv.evaluate` gives it, and so has the policy's random
                stream.
            on_decision: is called with each decision, in their order, when it is over and its delay known. It is
                called inside the loop: what it does must be quick.

        Returns:
            Rows with the columns that `chunkenv.evaluate` gives them.

        Raises:
            PolicyFault: the policy cannot be made or warmed up; with on_fault='raise', whatever it does wrong.
            EnvironmentFault: the environment returned NaN.
        """
        count = whole_number("episodes", episodes, at_least=1)
        seed = whole_number("seed", seed, at_least=0)
        self._forget_run()
        worker, patience = self._make_worker(), 0.0
        try:
            worker.open(self._hosted, self._parts.clock.max_in_flight, self._start_timeout)
            self._warm(worker)
            rows = [self._play(worker, episode, episode_seed(seed, episode), on_decision) for episode in range(count)]
            patience = GRACE
        finally:
            worker.close(patience)
        return rows

    def _play(
        self,
        worker: InferenceWorker,
        episode: int,
        seed: int,
        on_decision: Callable[[PlayedDecision], None] | None,
    ) -> Row:
        tally = Tally(seed, cast(Any, self), SimpleNamespace(cost=0) if self._has_cost else None)

        def keep(decision: PlayedDecision, evaluations: int) -> None:
            tally.add(decision.undiscounted_reward, decision.info, evaluations)
            if on_decision is not None:
                on_decision(decision)

        loop = EpisodeLoop(self._parts, worker, episode, keep)
        try:
            loop.play(seed)
        finally:
            self.trace += loop.trace
            self.faults += loop.faults
            self.late_ticks += loop.deadlines.late
            self.missed_deadlines += loop.deadlines.missed
        return tally.row()

    def _warm(self, worker: InferenceWorker) -> None:
        """Infer a few times before anything counts: the first inference compiles, loads and allocates."""
        parts = self._parts
        space = parts.observe.space if parts.observe else parts.env.observation_space
        time = parts.time
        request = self._warm_up_request()
        for turn in range(self._warm_up):
            waiting = [Inference(-1, lane, 0) for lane in range(self._parts.clock.max_in_flight)]
            for inference in waiting:
                worker.ask(inference, _sample(space, turn), request)
            limit = time.now() + self._start_timeout
            while waiting:
                worker.wait(max(limit - time.now(), 0.0))
                for answer in worker.answers():
                    if answer.failure:
                        raise _warm_up_fault(answer.failure, answer.details)
                    if answer.finished:
                        waiting.remove(answer.inference)
                        self._has_cost = answer.evaluations is not None
                if waiting and time.now() >= limit:
                    raise _warm_up_fault(f"the policy did not answer within {self._start_timeout:g} seconds")

    def _warm_up_request(self) -> Request:
        clock, nothing = self._parts.clock, slice(0, 0)
        rows = cut(self._parts.chunks, padding(self._parts.chunks), nothing)
        return Request(0, rows, 0, 0, clock.execution_horizon, rows, horizons=clock.horizons)

    def _make_worker(self) -> InferenceWorker:
        if isinstance(self._given_worker, str):
            return LanePool(process_handle if self._given_worker == "process" else ThreadHandle)
        return self._given_worker

    def _forget_run(self) -> None:
        self.trace: list[TraceRow] = []
        self.faults: list[PolicyFault] = []
        self.late_ticks = self.missed_deadlines = 0


def _check_policy(policy: object) -> None:
    if not makes_policy(policy):
        check_policy(policy, what="infer(observation, request), and is no function that makes a policy; give either.")


def _check_stream(policy: object, execution_horizon: Horizon) -> None:
    if is_list(execution_horizon):
        raise ArgumentError(
            f"execution_horizon={execution_horizon!r} is chosen with a whole chunk, but stream=True runs rows before "
            "it is there; give one execution horizon, or stream=False."
        )
    if not makes_policy(policy):
        check_stream(policy)


def _check_env(env: AnyEnv) -> None:
    expect_env(env, "RealtimeExecution")
    if env.has_wrapper_attr("prediction_horizon"):
        raise ArgumentError(
            f"{env} executes chunks already, in simulated time; give the environment inside, whose step is one tick."
        )


def _read_worker(worker: object) -> Any:
    if all(callable(getattr(worker, name, None)) for name in ("open", "begin", "ask", "answers", "wait", "close")):
        return worker
    if not isinstance(worker, str):
        raise ArgumentError(f"worker={brief(worker)} cannot infer; choose 'process' or 'thread'.")
    return one_of("worker", worker, ("process", "thread"))


def _read_estimate(kind: str, prior: int) -> DelayEstimate:
    if kind == "oracle":
        raise ArgumentError(
            "delay_estimate='oracle' cannot be: nobody knows beforehand how long a real inference takes; choose "
            "'last', 'mean' or 'max'."
        )
    return DelayEstimate(kind, prior)


def _read_observer(mode: bool | str, env: AnyEnv, chunks: AnySpace, max_in_flight: int) -> PrefixObservation | None:
    if mode and max_in_flight > 1:
        raise ArgumentError(
            f"observe_prefix={mode!r} shows the chunks in flight, which nobody knows yet under the real clock; leave "
            "it out, or max_in_flight=1."
        )
    return read_observer(mode, env.observation_space, chunks, slots=0)


def _seconds(name: str, value: float) -> float:
    seconds = real_number(name, value, at_least=0.0)
    if seconds == 0.0:
        raise ArgumentError(f"{name}={value!r} is too small; give seconds, more than 0.")
    return seconds


def _sample(space: AnySpace, seed: int) -> Any:
    """An observation out of the space; the environment's own space is left alone."""
    twin = copy.deepcopy(space)
    twin.seed(seed)
    return twin.sample()


def _warm_up_fault(failure: str, details: str = "") -> PolicyFault:
    fault = PolicyFault(f"{failure.rstrip('.')}; this was an inference to warm up, before the first reset.")
    if details:
        fault.add_note(details)
    return fault
