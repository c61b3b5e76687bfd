"""The arguments of chunked execution: read once for one environment and for many."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from chunkenv.clock import ChunkClock
from chunkenv.errors import ArgumentError, StaleChunkWarning, UnderrunWarning, brief, suggest
from chunkenv.latency import Delays, Latency, read_delays
from chunkenv.request import DelayEstimate
from chunkenv.utils.checks import one_of, real_number
from chunkenv.utils.spaces import chunk_space
from chunkenv.utils.types import Action, AnyEnv, AnySpace, AnyVectorEnv
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
        latency: an int is a constant delay in ticks; a `chunkenv.latency` model, or its spec as a dict, gives seconds.
        overlap: True goes on with the previous chunk during inference; False waits for the new one (synchronous).
        underrun: what acts in a tick without a row, and while a synchronous robot waits: 'hold' (the last action),
            'zero', an action, or 'stop' (the episode is truncated before that tick).
        cold_start: 'free' (the first chunk is there at once) or 'charged' (it takes its delay).
        discount: per tick, from 0 to 1.
        observe_prefix: True puts prefix, its length and the delay estimate into a Dict observation, 'flat' into a Box.
        delay_estimate: what a request expects: 'oracle', 'last', 'max' (of the last 10), 'max:n'.
        info: 'basic', 'actions' or 'full'.
        first_action: what 'hold' executes before anything was (zero if None); needed for discrete actions with
            cold_start='charged'.
        control_dt: seconds per tick; what the environment says, if None (`chunkenv.latency.control_dt_of`). Only
            latency in seconds needs it.
    """

    prediction_horizon: int
    execution_horizon: int | None = None
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
        discount: per tick.
        full: whether info is 'full'.
        account: whether info accounts for every tick: 'actions' or 'full'.
        estimate: the delay estimate of one environment.
        chunks: the space of chunks.
        underrun: what acts in a tick without a row.
        observe: what puts the prefix into an observation, or None.
        plain: the arguments as plain data.

    Raises:
        ArgumentError: for an invalid argument.
    """

    def __init__(
        self, options: ChunkOptions, env: AnyEnv | AnyVectorEnv, action_space: AnySpace, observation_space: AnySpace
    ) -> None:
        self.delays = read_delays(env, options.latency, options.control_dt, stacklevel=4)
        self.clock = ChunkClock(
            options.prediction_horizon,
            options.execution_horizon,
            options.overlap,
            options.cold_start,
            typical_delay=self.delays.typical,
        )
        self.discount = real_number("discount", options.discount, at_least=0.0, at_most=1.0)
        self.full = one_of("info", options.info, ("basic", "actions", "full")) == "full"
        self.account = options.info != "basic"
        self.estimate = DelayEstimate(options.delay_estimate, prior=self.delays.typical)
        self.chunks = chunk_space(action_space, self.clock.prediction_horizon)
        late_first = options.cold_start == "charged" and self.delays.constant != 0
        self.underrun = Underrun(options.underrun, action_space, options.first_action, may_come_first=late_first)
        self.observe = _observer(options.observe_prefix, observation_space, self.chunks)
        self.plain: dict[str, Any] = vars(options) | {
            "prediction_horizon": self.clock.prediction_horizon,
            "execution_horizon": self.clock.execution_horizon,
            "latency": self.delays.plain,
            "underrun": plain(options.underrun, action_space),
            "discount": self.discount,
            "first_action": plain(options.first_action, action_space),
        }

    def warn_of_underruns(self, stacklevel: int) -> None:
        """Warn if ticks without a row are certain, or most chunks stale; `stacklevel` as in `warnings.warn`."""
        if not self.clock.overlap:
            return
        if self.delays.typical > self.clock.prediction_horizon:
            message = _stale(self.delays, self.clock.prediction_horizon)
            warnings.warn(message, StaleChunkWarning, stacklevel=stacklevel + 1)
        elif self.clock.steady_cycle(self.delays.least).underruns:
            warnings.warn(_starved(self.delays, self.clock), UnderrunWarning, stacklevel=stacklevel + 1)


def _observer(mode: bool | str, observation_space: AnySpace, chunks: AnySpace) -> PrefixObservation | None:
    if not (isinstance(mode, bool) or mode == "flat"):
        raise ArgumentError(f"observe_prefix={mode!r} is unknown; choose True, False or 'flat'.")
    return PrefixObservation(observation_space, chunks, flat=mode == "flat") if mode else None


def _stale(delays: Delays, horizon: int) -> str:
    return (
        f"latency={brief(delays.plain)} is {delays.typical} ticks on average, more than prediction_horizon={horizon}: "
        "most chunks will arrive after their last row's tick and never act; use longer chunks, a longer control_dt, or "
        "overlap=False."
    )


def _starved(delays: Delays, clock: ChunkClock) -> str:
    """Says how many ticks of each decision are underruns, and which horizons have none."""
    horizon, least, cycle = clock.prediction_horizon, delays.least, clock.steady_cycle(delays.least)
    count = f"{cycle.underruns}" if delays.constant is not None else f"at least {cycle.underruns}"
    if 2 * least <= horizon:
        choice = f"execution_horizon={horizon - least} or less, prediction_horizon={horizon} minus the delay of {least}"
    else:
        choice = f"prediction_horizon={2 * least} or more, twice the delay of {least}"
    return (
        f"execution_horizon={clock.execution_horizon} and latency={brief(delays.plain)} leave {count} of the "
        f"{cycle.ticks} ticks of every decision but the first without a row (underruns); choose {choice}, or "
        "overlap=False."
    )
