"""One episode under the real clock: ticks at their deadlines, beside inferences that come when they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import takewhile
from typing import NamedTuple

from chunkenv.clock import UNDERRUN, Inference, Source, TickClock
from chunkenv.errors import EnvironmentFault, PolicyFault
from chunkenv.latency.trace_file import TraceRow
from chunkenv.realtime.deadlines import ControlClock, Deadlines
from chunkenv.realtime.decision_account import DecisionAccount, PlayedDecision
from chunkenv.realtime.inferring import Answer, InferenceWorker
from chunkenv.realtime.under_way import UnderWay
from chunkenv.request import Chunk, DelayEstimate, Request
from chunkenv.utils.seeding import spawn
from chunkenv.utils.spaces import cut, has_nan, padding, split
from chunkenv.utils.types import Action, AnyEnv, AnySpace
from chunkenv.wrappers.corrections import Correction
from chunkenv.wrappers.prefix_observation import PrefixObservation
from chunkenv.wrappers.tick_player import describe_nan_observation, describe_nan_rewards, play_rows
from chunkenv.wrappers.underrun import Underrun


class LoopParts(NamedTuple):
    """What a control loop is made of, over all episodes.

    Attributes:
        env: the environment; its step is a tick.
        clock: which row runs at which tick.
        time: the time.
        control_dt: seconds per tick.
        estimate: what requests expect an inference to take.
        chunks: the space of chunks.
        underrun: what acts in a tick without a row.
        discount: per tick.
        info: 'basic', 'actions' or 'full'.
        observe: puts the prefix into what the policy sees, or None.
        correction: corrects every row, or None.
        on_fault: 'raise', 'underrun' or 'end'.
        timeout: seconds that an inference may take.
        streams: whether rows may come one by one.
    """

    env: AnyEnv
    clock: TickClock
    time: ControlClock
    control_dt: float
    estimate: DelayEstimate
    chunks: AnySpace
    underrun: Underrun
    discount: float
    info: str
    observe: PrefixObservation | None
    correction: Correction | None
    on_fault: str
    timeout: float
    streams: bool


class EpisodeLoop:
    """Plays one episode.

    Args:
        parts: what the loop is made of.
        worker: infers.
        episode: the number of the episode.
        keep: is given each decision once it is over and its delay known, and how often its inference evaluated the
            denoiser.

    Attributes:
        trace: the inferences that came, in the order of their requests.
        faults: what the policy did wrong.
        deadlines: how many ticks were late, and how many deadlines missed.
    """

    def __init__(
        self, parts: LoopParts, worker: InferenceWorker, episode: int, keep: Callable[[PlayedDecision, int], None]
    ) -> None:
        self._parts, self._worker, self._episode, self._keep = parts, worker, episode, keep
        self._clock, self._time = parts.clock, parts.time
        self.deadlines = Deadlines(parts.time, parts.control_dt)
        self.faults: list[PolicyFault] = []
        self._rows_of_trace: dict[int, TraceRow] = {}
        self._met: dict[int, int] = {}
        self._flights: dict[Inference, UnderWay] = {}
        self._over: deque[tuple[DecisionAccount, PlayedDecision]] = deque()
        self._chunk: Chunk = padding(parts.chunks)
        self._rows: list[Action] = []
        self._last_action: Action | None = None
        self._cut = self._cut_short = False
        self._looked = 0

    @property
    def trace(self) -> list[TraceRow]:
        """The inferences that came."""
        return [row for _, row in sorted(self._rows_of_trace.items())]

    def play(self, seed: int) -> None:
        """Play the episode with the given seed of its own."""
        self._worker.begin(seed)
        self._corrections = spawn(seed, "correction")
        self._observation, _ = self._parts.env.reset(seed=seed)
        self._clock.reset()
        self._parts.estimate.reset()
        self._ask()
        if self._clock.next_is_free:
            self._await_first()
        self.deadlines.begin()
        terminated, truncated = self._play_ticks()
        self._end(terminated, truncated)

    def _play_ticks(self) -> tuple[bool, bool]:
        """All ticks; how the episode ended."""
        clock, ended = self._clock, (False, False)
        while not any(ended):
            self.deadlines.wait()
            self._look(clock.tick)
            if self._is_due:
                self._close(False, False)
                self._ask()
                self._look(clock.tick)  # what takes no time at all is there at once
            if self._cut or (source := self._next()) is None:
                self._cut_short = True
                return False, True
            ended = self._play_tick(source)
        return ended

    @property
    def _is_due(self) -> bool:
        """Whether a request is made; a policy that has not ended its stream may be busy with all rows there."""
        free = len(self._flights) < self._clock.max_in_flight
        return self._clock.is_due and free and not self._cut

    def _next(self) -> Source | None:
        """What runs in this tick; None if that is an underrun which stops the episode."""
        discarded = self._clock.discarded
        source = self._clock.next()
        if source is UNDERRUN and self._parts.underrun.stops:
            self._clock.discarded = discarded  # the tick is not played: a row that is missing in it is left over
            return None
        promises = {flight.inference: flight.promise for flight in self._flights.values()}
        self._account.broken += self._clock.count_broken(source, promises)
        return source

    def _play_tick(self, source: Source) -> tuple[bool, bool]:
        """One step of the environment; whether it terminated or was truncated."""
        parts, tick = self._parts, self._clock.tick - 1
        action, base = self._choose(source, tick)
        play = play_rows(parts.env, [action], self._observation, tick, parts.info == "full")
        if play.rewards[0] != play.rewards[0]:
            raise EnvironmentFault(describe_nan_rewards(parts.env, play.rewards, tick))
        self._account.add(action, base, play, source)
        self._last_action, self._observation = action, play.observation
        return play.terminated, play.truncated

    def _choose(self, source: Source, tick: int) -> tuple[Action, Action]:
        """The action of a tick, and what it is without the correction."""
        correction, underrun = self._parts.correction, self._parts.underrun
        if source is UNDERRUN:
            last = self._last_action
            return underrun.action(last), underrun.action(self._account.held(last))
        row = self._rows[source.row]
        if correction is None:
            return row, row
        return correction.apply(self._observation, row, source.row, tick, self._corrections), row

    def _ask(self) -> None:
        """Make the request of this tick."""
        clock, parts = self._clock, self._parts
        if has_nan(parts.env.observation_space, self._observation):
            raise EnvironmentFault(describe_nan_observation(parts.env, clock.tick))
        self._account = DecisionAccount(clock)
        expected = 0 if clock.next_is_free else parts.estimate.predict(0)
        planned = self._foresee(expected)
        request = self._request(expected, len(planned))
        promise = [(clock.requests - source.age, source.row) for source in planned]
        inference = clock.request(clock.tick)
        ticket = Inference(self._episode, inference.number, inference.tick)
        flight = UnderWay(inference, self._time.now(), self.deadlines.late, expected, promise, self._account)
        self._flights[ticket] = flight
        observe = self._parts.observe
        self._worker.ask(ticket, observe(self._observation, request) if observe else self._observation, request)

    def _foresee(self, ticks: int) -> list[Source]:
        """What will run in the next ticks, as far as the rows are known: those to come are not."""
        expected = {flight.inference: flight.expected for flight in self._flights.values()}
        sources = self._clock.foresee(ticks, expected)
        there = self._clock.left.stop
        return list(takewhile(lambda source: source.age == sources[0].age and source.row < there, sources))

    def _request(self, expected: int, length: int) -> Request:
        clock, chunks = self._clock, self._parts.chunks
        left = clock.left
        left_over = cut(chunks, self._chunk, slice(left.start, left.stop))
        prefix = cut(chunks, left_over, slice(0, length))
        return Request(
            clock.tick, prefix, length, expected, clock.execution_horizon, left_over, horizons=clock.horizons
        )

    def _await_first(self) -> None:
        """Wait for the chunk of a free cold start: time begins when it is there."""
        while self._flights:
            limit = min(flight.asked for flight in self._flights.values()) + self._parts.timeout
            self._worker.wait(max(limit - self._time.now(), 0.0))
            self._look(0)

    def _look(self, tick: int, acts: bool = True) -> None:
        """Take what has come by a tick, oldest first, and give up what takes too long."""
        self._looked = tick
        for answer in sorted(self._worker.answers(), key=lambda answer: answer.inference):
            flight = self._flights.get(answer.inference)
            if flight is None:
                continue  # of an episode that is over, or given up
            if answer.finished:
                del self._flights[answer.inference]
                self._land(flight, answer, tick, acts)
            else:
                self._land_rows(flight, answer, tick, acts)
        for ticket, flight in list(self._flights.items()):
            if self._time.now() >= flight.asked + self._parts.timeout:
                del self._flights[ticket]
                self._worker.forget(ticket)
                failure = f"the policy did not answer within {self._parts.timeout:g} seconds"
                self._land(flight, Answer(ticket, failure=failure), tick, acts)

    def _land_rows(self, flight: UnderWay, answer: Answer, tick: int, acts: bool) -> None:
        """Some rows have come; those of a free start act once all are there."""
        flight.note(answer, tick - flight.inference.tick)
        if acts and not self._clock.next_is_free:
            self._take(flight, finished=False)

    def _land(self, flight: UnderWay, answer: Answer, tick: int, acts: bool) -> None:
        """An inference has ended."""
        free, age = self._clock.next_is_free, tick - flight.inference.tick
        flight.note(answer, age)
        delay = flight.account.delay = flight.delay(age, self._clock.overlap)
        if self._parts.streams:
            flight.account.row_delays = flight.delays_of_rows(self._clock.prediction_horizon)
        if answer.failure:
            self._fail(flight, answer, acts)
            return
        late = self.deadlines.late - flight.late
        timing = (None, 0) if free else (age, late)
        row = TraceRow(self._episode, flight.inference.tick, answer.seconds, *timing)
        self._rows_of_trace[flight.inference.number] = row
        flight.account.horizon, flight.account.evaluations = answer.horizon, answer.evaluations or 0
        if acts:
            self._finish(flight, answer)
        if not free:
            self._met[flight.inference.number] = delay

    def _finish(self, flight: UnderWay, answer: Answer) -> None:
        """The whole chunk has arrived, or the last of its rows."""
        if answer.horizon is not None:
            self._clock.choose_horizon(answer.horizon)
        if not self._parts.streams:
            flight.chunk = answer.chunk
        self._take(flight, finished=True)

    def _take(self, flight: UnderWay, finished: bool) -> None:
        """The chunk has arrived, or some of its rows."""
        if flight.inference not in self._clock.in_flight:
            return  # all its rows were there before its policy was done
        rows = len(flight.row_delays) if self._parts.streams else None
        if self._clock.arrive(flight.inference, self._clock.tick, rows, finished):
            self._chunk, self._rows = flight.chunk, split(self._parts.chunks, flight.chunk)

    def _fail(self, flight: UnderWay, answer: Answer, acts: bool) -> None:
        """No more rows will come, and those that came stay: go on, end, or raise the error, as `on_fault` says."""
        tick = flight.inference.tick
        fault = PolicyFault(f"{answer.failure.rstrip('.')}; this was the request of tick {tick}.", tick)
        if answer.details:
            fault.add_note(answer.details)
        if self._parts.on_fault == "raise":
            raise fault
        self.faults.append(fault)
        flight.account.fault = str(fault)
        if flight.row_delays and acts:
            self._take(flight, finished=True)
        elif flight.inference in self._clock.in_flight:
            self._clock.in_flight.remove(flight.inference)
        self._clock.cold = False  # a free start is over: the robot begins without a chunk
        self._cut = self._parts.on_fault == "end"

    def _close(self, terminated: bool, truncated: bool) -> None:
        """The present decision is over; it is kept once its delay is known, and what it met is learnt."""
        for _, delay in sorted(self._met.items()):
            self._parts.estimate.learn(delay)
        self._met.clear()
        account, parts = self._account, self._parts
        info = account.summary(parts.discount, terminated, ended=terminated or truncated)
        if parts.info != "basic":
            info |= account.details(parts.info == "full", parts.correction is not None)
        reward, total = account.reward(parts.discount), account.reward(1.0)
        decision = PlayedDecision(
            self._episode, account.tick, self._observation, reward, terminated, truncated, info, total
        )
        self._over.append((account, decision))
        self._keep_known()

    def _keep_known(self) -> None:
        """Hand on the decisions whose inferences have come, in their order."""
        while self._over and self._over[0][0].delay is not None:
            account, decision = self._over.popleft()
            decision.info["delay"] = account.delay
            if account.row_delays is not None:
                decision.info["row_delays"] = account.row_delays
            if account.horizon is not None:
                decision.info["horizon"] = account.horizon
            if account.fault:
                decision.info["fault"] = account.fault
            self._keep(decision, account.evaluations)

    def _end(self, terminated: bool, truncated: bool) -> None:
        """Close the last decision, and wait for what is still under way: its delay is known only then."""
        if not self._cut_short:  # what is there when the last tick is over has arrived
            self.deadlines.wait()
            self._look(self._clock.tick)
        if has_nan(self._parts.env.observation_space, self._observation):
            raise EnvironmentFault(describe_nan_observation(self._parts.env, self._clock.tick))
        self._close(terminated, truncated)
        while self._flights:
            self.deadlines.wait()
            self._look(self._looked + 1, acts=False)
        self._keep_known()
