"""A control loop without time and without threads: a clock that is set, and inferences that take what a script says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from chunkenv.clock import Inference
from chunkenv.errors import ArgumentError, PolicyFault, brief
from chunkenv.realtime.inferring import Answer, HostedPolicy
from chunkenv.realtime.policy_host import PolicyHost
from chunkenv.request import Request
from chunkenv.utils.types import Observation, is_list


class ManualClock:
    """A clock that goes on only when it is told to: waiting sets it.

    >>> clock = ManualClock()
    >>> clock.wait_until(2.0), clock.now(), clock.advance(0.5), clock.now()
    (None, 2.0, None, 2.5)
    """

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Seconds since it was made."""
        return self._now

    def wait_until(self, seconds: float) -> None:
        """Set it to `seconds`, unless it is later already."""
        self._now = max(self._now, seconds)

    def advance(self, seconds: float) -> None:
        """So many seconds pass: an environment that takes long calls it in its step."""
        self._now += seconds


class ScriptedWorker:
    """An inference worker whose inferences take what a script says, on a `ManualClock`.

    The policy is asked at once, in this thread, and its answer is held back until its time has come. A run is the
    same each time, and takes no longer than the policy itself.

    Args:
        clock: that of the control loop.
        seconds: what each inference takes, by its `chunkenv.clock.Inference` (episode, number in the episode, tick of
            its request); `math.inf` is one that hangs. Those that warm up take nothing, and are not asked about. Where
            rows stream it may be a list with the seconds of each row, nondecreasing: the inference ends at the last
            of them, and rows beyond it never come.

    >>> import gymnasium as gym
    >>> from chunkenv.realtime import RealtimeExecution
    >>> class Left:
    ...     def infer(self, observation, request):
    ...         return [0] * 8
    >>> clock = ManualClock()
    >>> worker = ScriptedWorker(clock, lambda inference: 0.03)
    >>> loop = RealtimeExecution(gym.make("CartPole-v1"), Left(), 8, 4, control_dt=0.02, worker=worker, clock=clock)
    >>> rows = loop.run(episodes=1, seed=0)
    >>> rows[0]["ticks"], [row.delay_ticks for row in loop.trace], round(clock.now(), 3)
    (9, [None, 2, 2], 0.23)
    """

    def __init__(self, clock: ManualClock, seconds: Callable[[Inference], float | Sequence[float]]) -> None:
        self._clock, self._seconds = clock, seconds
        self._under_way: list[tuple[float, Answer]] = []

    def open(self, hosted: HostedPolicy, lanes: int, timeout: float) -> None:
        """Make the policy."""
        try:
            self._host = PolicyHost(hosted)
        except Exception as error:
            raise PolicyFault(f"the policy cannot be made: {type(error).__name__}: {error}") from error

    def begin(self, seed: int) -> None:
        """An episode begins; what is under way still comes."""
        self._host.begin(seed)

    def ask(self, inference: Inference, observation: Observation, request: Request) -> None:
        """Start an inference: its answer is known here at once, and comes later."""
        seconds = self._seconds(inference) if inference.episode >= 0 else 0.0
        answers = list(self._host.answers(inference, observation, request))
        now = self._clock.now()
        self._under_way += [(now + answer.seconds, answer) for answer in _timed(answers, seconds)]

    def answers(self) -> list[Answer]:
        """What has come by now."""
        now = self._clock.now()
        come = [answer for time, answer in self._under_way if time <= now]
        self._under_way = [each for each in self._under_way if each[0] > now]
        return come

    def wait(self, seconds: float) -> None:
        """Set the clock to the time of the next answer, at most `seconds` on."""
        limit = self._clock.now() + seconds
        self._clock.wait_until(min([limit, *(time for time, _ in self._under_way)]))

    def forget(self, inference: Inference) -> None:
        """Nobody waits for an inference any longer."""
        self._under_way = [each for each in self._under_way if each[1].inference != inference]

    def close(self, patience: float) -> None:
        """Forget all that is under way."""
        self._under_way.clear()


def _timed(answers: list[Answer], seconds: float | Sequence[float]) -> list[Answer]:
    """The answers of an inference that come, and the seconds that they take."""
    if not is_list(seconds):
        return [answer._replace(seconds=seconds) for answer in answers]
    if not seconds or any(later < sooner for sooner, later in itertools.pairwise(seconds)):
        raise ArgumentError(
            f"seconds={brief(seconds)} of an inference are not those of rows that come one by one; give at least one, "
            "nondecreasing."
        )
    *parts, last = answers
    parts = [part._replace(seconds=seconds[part.rows - 1]) for part in parts if part.rows and part.rows <= len(seconds)]
    if last.rows and last.rows > len(seconds):  # the script has it stop early
        none = Answer(last.inference, failure="the script ended before the first rows that were yielded came")
        last = (parts or [none])[-1]._replace(evaluations=last.evaluations, finished=True)
    return [*parts, last._replace(seconds=seconds[-1])]
