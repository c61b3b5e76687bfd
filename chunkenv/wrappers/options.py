"""The arguments of chunked execution: read once for one environment and for many."""

from __future__ import annotations

import functools
import inspect
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from chunkenv.clock import ChunkClock, FlightClock, Horizon, Steady
from chunkenv.errors import ArgumentError, StaleChunkWarning, UnderrunWarning, brief, suggest
from chunkenv.latency import Latency, read_delays
from chunkenv.request import DelayEstimate
from chunkenv.utils.checks import one_of, real_number
from chunkenv.utils.spaces import chunk_space
from chunkenv.utils.types import Action, AnyEnv, AnySpace, AnyVectorEnv
from chunkenv.wrappers.chunk_queue import ChunkQueue, FlightQueue, Queue
from chunkenv.wrappers.corrections import Correction
from chunkenv.wrappers.decision_space import DecisionSpace, read_delay_choices
from chunkenv.wrappers.prefix_observation import PrefixObservation
from chunkenv.wrappers.underrun import Underrun, plain

Self = TypeVar("Self")
Wrapped = TypeVar("Wrapped")
Options = TypeVar("Options")
Arguments = ParamSpec("Arguments")


@dataclass(frozen=True)
class ChunkOptions:
    """The arguments that `ChunkedExecution` and `ChunkedVectorExecution` take after the environment.

    Args:
        prediction_horizon: rows in a chunk, H.
        execution_horizon: ticks between two requests, s <= H. None: H minus the delay (of a random latency: minus its
            mean in ticks, rounded up), at least 1, so that the rows left over last for an inference; H without overlap.
            (low, high): the agent chooses it with each chunk; see `DecisionSpace`.
        latency: an int is a constant delay in ticks; a `chunkenv.latency` model, or its spec as a dict, gives seconds.
        overlap: True goes on with the previous chunk during inference; False waits for the new one (synchronous).
        underrun: what acts in a tick without a row, and while a synchronous robot waits: 'hold' (the last action),
            'zero', an action, or 'stop' (the episode is truncated before that tick).
        cold_start: 'free' (the first chunk is there at once) or 'charged' (it takes its delay).
        discount: per tick, from 0 to 1.
        observe_prefix: True puts prefix, its length and the delay estimate into a Dict observation, 'flat' into a Box.
        delay_estimate: what a request expects: 'oracle', 'last', 'mean' or 'max' (of the last 10), 'mean:n', 'max:n'.
        info: 'basic', 'actions' or 'full'.
        first_action: what 'hold' executes before anything was (zero if None); needed for discrete actions with
            cold_start='charged'.
        control_dt: seconds per tick; what the environment says, if None (`chunkenv.latency.control_dt_of`). Only
            latency in seconds needs it.
        max_in_flight: inferences under way at a time, k. The arrived chunk with the newest request acts; an older one
            that comes later is dropped.
        request_period: with several in flight, ticks that pass at least between two requests; None: max(s, d / k)
            rounded up, for the mean delay d.
        delays: ticks that the agent chooses from with each chunk, in place of a latency: how long it thinks is part of
            the action; see `DecisionSpace`.
        correction: what is added to the row of every tick, never in an underrun: a function
            `correct(observation, row, row_index, tick, rng)`, an object with that method, or its name
            'package.module:name'. The prefix stays uncorrected.
    """

    prediction_horizon: int
    execution_horizon: Horizon = None
    latency: Latency = 0
    _: KW_ONLY
    overlap: bool = True
    underrun: Action = "hold"
    cold_start: str = "free"
    discount: float = 1.0
    observe_prefix: bool | str = False
    delay_estimate: str = "oracle"
    info: str = "basic"
    first_action: Action | None = None
    control_dt: float | None = None
    max_in_flight: int = 1
    request_period: int | None = None
    delays: Sequence[int] | None = None
    correction: Any = None


LATER = {"max_in_flight": 1, "request_period": None, "delays": None, "correction": None}
"""Options that earlier versions do not know, unused: a spec without them can be read there."""


def with_arguments_of(
    options: Callable[Arguments, Options],
) -> Callable[[Callable[[Self, Wrapped, Options], None]], Callable[Concatenate[Self, Wrapped, Arguments], None]]:
    """Give a constructor of (environment, options) the arguments of the options one by one, after the environment."""

    def decorate(
        construct: Callable[[Self, Wrapped, Options], None],
    ) -> Callable[Concatenate[Self, Wrapped, Arguments], None]:
        own = list(inspect.signature(construct).parameters.values())[:2]
        make: Callable[..., Options] = options
        signature = inspect.Signature([*own, *inspect.signature(options).parameters.values()])

        @functools.wraps(construct)
        def init(*args: Any, **kwargs: Any) -> None:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError as error:
                wrapper = construct.__qualname__.partition(".")[0]
                raise TypeError(f"{wrapper}: {_misfit(str(error), signature, kwargs)}") from None
            this, env = (given.pop(parameter.name) for parameter in own)
            construct(this, env, make(**given))

        setattr(init, "__signature__", signature)  # noqa: B010 (a function's type does not know it)
        return init

    return decorate


def _misfit(error: str, signature: inspect.Signature, given: Iterable[str]) -> str:
    """What is wrong with the arguments of a call, and what would be right: the nearest name, or all of them."""
    _, *known = signature.parameters
    unknown = next((name for name in given if name not in known), None)
    if unknown is None:
        return f"{error}; it takes {', '.join(known)}."
    return f"got an unexpected keyword argument {unknown!r}; {suggest(unknown, known)}"


class ChunkParts:
    """What executes chunks as `ChunkOptions` want it, for one environment: all arguments are checked here.

    Args:
        options: the arguments.
        env: a single or vector environment: it may say how long a tick is.
        action_space: of one environment.
        observation_space: of one environment.

    Attributes:
        clock: the clock of one environment.
        delays: the delays of one environment.
        choices: the delays that the agent chooses from, or None.
        discount: per tick.
        full: whether info is 'full'.
        account: whether info accounts for every tick: 'actions' or 'full'.
        estimate: the delay estimate of one environment.
        chunks: the space of chunks.
        decisions: the space of actions: that of chunks, or a `DecisionSpace` where the agent chooses more.
        correction: what corrects each action, or None.
        underrun: what acts in a tick without a row.
        observe: what puts the prefix into an observation, or None.
        plain: the arguments as plain data.

    Raises:
        ArgumentError: for an invalid argument.
    """

    def __init__(
        self, options: ChunkOptions, env: AnyEnv | AnyVectorEnv, action_space: AnySpace, observation_space: AnySpace
    ) -> None:
        self.choices = _read_choices(options)
        self.delays = read_delays(env, options.latency, options.control_dt, stacklevel=4)
        typical = self.delays.typical if self.choices is None else self.choices[-1]
        self.clock = self._make_clock(options, typical)
        self._expect_known_mean(options)
        self.discount = real_number("discount", options.discount, at_least=0.0, at_most=1.0)
        self.full = one_of("info", options.info, ("basic", "actions", "full")) == "full"
        self.account = options.info != "basic"
        self.estimate = DelayEstimate(options.delay_estimate, prior=typical)
        if self.delays.measured and self.estimate.kind == "oracle":
            raise ArgumentError(
                f"delay_estimate='oracle' cannot know what an inference will take that is measured "
                f"(latency={brief(self.delays.plain)}); give delay_estimate='last', 'mean' or 'max'."
            )
        self.chunks = chunk_space(action_space, self.clock.prediction_horizon)
        self.decisions: AnySpace = self.chunks
        if self.clock.horizons or self.choices is not None:
            self.decisions = DecisionSpace(self.chunks, self.clock.horizons, self.choices)
        self.correction = None if options.correction is None else Correction(options.correction, action_space)
        late_first = options.cold_start == "charged" and (self.delays.constant != 0 or self.choices is not None)
        self.underrun = Underrun(options.underrun, action_space, options.first_action, may_come_first=late_first)
        slots = options.max_in_flight - 1
        self.observe = read_observer(options.observe_prefix, observation_space, self.chunks, slots)
        self.plain: dict[str, Any] = vars(options) | {
            "prediction_horizon": self.clock.prediction_horizon,
            "execution_horizon": list(self.clock.horizons) if self.clock.horizons else self.clock.execution_horizon,
            "max_in_flight": int(options.max_in_flight),
            "delays": None if self.choices is None else list(self.choices),
            "latency": self.delays.plain,
            "underrun": plain(options.underrun, action_space),
            "discount": self.discount,
            "first_action": plain(options.first_action, action_space),
        }
        for name in [name for name in LATER if self.plain[name] is LATER[name]]:
            del self.plain[name]

    @property
    def several(self) -> bool:
        """Whether several inferences may be in flight."""
        return isinstance(self.clock, FlightClock) and self.clock.max_in_flight > 1

    @property
    def settles_late(self) -> bool:
        """Whether the delay or the horizon of a request is settled with its chunk only."""
        return isinstance(self.decisions, DecisionSpace) or self.delays.measured

    def make_queue(self, action_space: AnySpace) -> Queue:
        """The clock of one environment with the chunks that it plays."""
        if isinstance(self.clock, FlightClock):
            return FlightQueue(self.clock, self.chunks, action_space)
        return ChunkQueue(self.clock, self.chunks)

    def _make_clock(self, options: ChunkOptions, typical: int) -> ChunkClock | FlightClock:
        """The clock: the simple one where it is enough."""
        self._expect_rows(options.prediction_horizon)
        arguments = (
            options.prediction_horizon,
            options.execution_horizon,
            options.overlap,
            options.cold_start,
            typical,
        )
        if options.max_in_flight == 1 and options.request_period is None and not self.delays.streams:
            return ChunkClock(*arguments)
        return FlightClock(*arguments, options.max_in_flight, options.request_period)

    def _expect_rows(self, horizon: int) -> None:
        rows = self.delays.rows
        if rows is not None and rows > horizon:
            raise ArgumentError(
                f"latency={brief(self.delays.plain)} has the delays of {rows} rows, but chunks have "
                f"prediction_horizon={horizon}; give at most {horizon}."
            )

    def _expect_known_mean(self, options: ChunkOptions) -> None:
        """What depends on the mean delay has to be given if the latency model does not know it."""
        if self.choices is not None or self.delays.knows_typical:
            return
        if options.execution_horizon is None and self.clock.overlap:
            raise ArgumentError(
                f"latency={brief(self.delays.plain)} does not know its mean, on which execution_horizon=None depends; "
                "give execution_horizon."
            )
        if options.max_in_flight > 1 and options.request_period is None:
            raise ArgumentError(
                f"latency={brief(self.delays.plain)} does not know its mean, on which request_period=None depends; "
                "give request_period."
            )

    def warn_of_underruns(self, stacklevel: int) -> None:
        """Warn if ticks without a row are certain, or most chunks stale; `stacklevel` as in `warnings.warn`."""
        if not self.clock.overlap:
            return
        least = self.delays.least if self.choices is None else self.choices[0]
        typical = self.delays.typical if self.choices is None else least
        latency = f"latency={brief(self.delays.plain)}" if self.choices is None else f"delays={self.choices}"
        if typical > self.clock.prediction_horizon:
            message = _stale(latency, typical, self.clock.prediction_horizon)
            warnings.warn(message, StaleChunkWarning, stacklevel=stacklevel + 1)
            return
        steady = self.clock.steady(least)
        if steady.underruns:
            exact = self.delays.constant is not None
            message = _starved(latency, self.clock, least, steady, exact)
            warnings.warn(message, UnderrunWarning, stacklevel=stacklevel + 1)


def _read_choices(options: ChunkOptions) -> tuple[int, ...] | None:
    """The delays that the agent chooses from."""
    if options.delays is None:
        return None
    if not (isinstance(options.latency, int) and options.latency == 0):
        raise ArgumentError(
            f"latency={brief(options.latency)} and delays={brief(options.delays)} cannot both say what an inference "
            "takes: give latency, or delays where the agent chooses."
        )
    return read_delay_choices(options.delays)


def read_observer(
    mode: bool | str, observation_space: AnySpace, chunks: AnySpace, slots: int
) -> PrefixObservation | None:
    """What the argument `observe_prefix` asks for; `slots` as `PrefixObservation` has it.

    Raises:
        ArgumentError: an unknown mode, or a space that cannot take the prefix.
    """
    if not (isinstance(mode, bool) or mode == "flat"):
        raise ArgumentError(f"observe_prefix={mode!r} is unknown; choose True, False or 'flat'.")
    return PrefixObservation(observation_space, chunks, flat=mode == "flat", slots=slots) if mode else None


def _stale(latency: str, typical: int, horizon: int) -> str:
    return (
        f"{latency} is {typical} ticks on average, more than prediction_horizon={horizon}: "
        "most chunks will arrive after their last row's tick and never act; use longer chunks, a longer control_dt, or "
        "overlap=False."
    )


def _starved(latency: str, clock: ChunkClock | FlightClock, least: int, steady: Steady, exact: bool) -> str:
    """Says how many ticks of each decision are underruns, and which horizons have none."""
    count = f"{steady.underruns}" if exact else f"at least {steady.underruns}"
    choice = _choose_without_underruns(clock, least)
    decisions = "decision but the first" if steady.decisions == 1 else f"{steady.decisions} decisions"
    return (
        f"execution_horizon={clock.execution_horizon} and {latency} leave {count} of the "
        f"{steady.ticks} ticks of every {decisions} without a row (underruns); choose {choice}, or "
        "overlap=False."
    )


def _choose_without_underruns(clock: ChunkClock | FlightClock, least: int) -> str:
    """Which horizons have a row in every tick, the end of a sentence."""
    horizon, most = clock.prediction_horizon, clock.max_in_flight
    if isinstance(clock, FlightClock) and most > 1:
        evenly = math.ceil(least / most)
        if clock.ticks.request_period < evenly:
            return f"request_period={evenly}, so that requests do not bunch"
        return f"prediction_horizon={least + clock.ticks.request_period} or more"
    if 2 * least <= horizon:
        return f"execution_horizon={horizon - least} or less, prediction_horizon={horizon} minus the delay of {least}"
    return f"prediction_horizon={2 * least} or more, twice the delay of {least}"
