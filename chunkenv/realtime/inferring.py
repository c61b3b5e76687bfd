"""What infers beside a control loop: what it is given, what it answers, and what it has to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from chunkenv.clock import Inference
from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.realtime.row_reader import RowReader
from chunkenv.request import Chunk, Policy, Request
from chunkenv.utils.checks import whole_number
from chunkenv.utils.spaces import Checked
from chunkenv.utils.types import AnySpace, Observation
from chunkenv.wrappers.decision_space import DecisionSpace


class Answer(NamedTuple):
    """What became of an inference, or the first rows of its chunk while it goes on.

    Attributes:
        inference: which one.
        chunk: a checked copy; None if there is none. Where rows stream it is filled up to H rows.
        horizon: the execution horizon that the policy chose; None if it chose none.
        seconds: from the request to the answer.
        failure: why there is no chunk, in a sentence; empty if there is one.
        details: the traceback of what was raised.
        evaluations: of the denoiser, as the policy's `cost` says; None if it has none.
        rows: how many of the chunk's first rows are there, where they stream; None: all.
        finished: whether this is the end of the inference.
    """

    inference: Inference
    chunk: Chunk = None
    horizon: int | None = None
    seconds: float = 0.0
    failure: str = ""
    details: str = ""
    evaluations: int | None = None
    rows: int | None = None
    finished: bool = True


class AnswerReader:
    """Reads what a policy returned: a chunk, or `(chunk, horizon)` where it may choose the execution horizon.

    Args:
        chunks: the space of chunks.
        horizons: the least and the largest horizon that a policy may choose; None: it chooses none.

    >>> from gymnasium import spaces
    >>> read = AnswerReader(spaces.MultiDiscrete([2, 2]), horizons=(1, 2))
    >>> read(([0, 1], 1)), read([0, 1])
    ((array([0, 1]), 1), (array([0, 1]), 2))
    """

    def __init__(self, chunks: AnySpace, horizons: tuple[int, int] | None) -> None:
        self._read, self._decisions = Checked(chunks, "chunk"), DecisionSpace(chunks, horizons)

    def __call__(self, answer: object) -> tuple[Chunk, int | None]:
        """The chunk, and the horizon: the longest if the policy chose none, None if it may not choose.

        Raises:
            ActionError: it is no chunk that can be executed, or no horizon that may be chosen.
        """
        decision = self._decisions.join(answer)
        chunk = self._read(decision["chunk"])
        horizons = self._decisions.horizons
        return chunk, None if horizons is None else self._read_horizon(decision["horizon"], *horizons)

    def _read_horizon(self, value: object, low: int, high: int) -> int:
        try:
            return whole_number("horizon", value, at_least=low, at_most=high)
        except ValueError:
            raise ActionError(
                f"the horizon {brief(value)} cannot be chosen; expected an int, {low} to {high}."
            ) from None


def makes_policy(policy: object) -> bool:
    """Whether what was given for a policy is a function that makes one.

    >>> makes_policy(lambda: None)
    True
    """
    return callable(policy) and not hasattr(policy, "infer")


def check_stream(policy: object) -> None:
    """Refuse a policy that cannot stream its rows.

    Raises:
        ArgumentError: it has no `infer_stream`.
    """
    if not callable(getattr(policy, "infer_stream", None)):
        raise ArgumentError(
            f"stream=True needs a policy that streams, but {type(policy).__name__} has no method "
            "infer_stream(observation, request); give it one, or stream=False."
        )


class HostedPolicy(NamedTuple):
    """A policy, and how its answers are read: what is sent to a worker.

    Attributes:
        policy: a policy, or a function without arguments that makes one where it is to run.
        read: reads its answers.
        read_rows: reads the rows that it streams; None: it is asked for whole chunks.
    """

    policy: Policy | Callable[[], Policy]
    read: AnswerReader
    read_rows: RowReader | None = None


class InferenceWorker(Protocol):
    """What infers beside a control loop, in another thread or process, or as a script says."""

    def open(self, hosted: HostedPolicy, lanes: int, timeout: float) -> None:
        """Make the policy ready to be asked.

        Args:
            hosted: the policy.
            lanes: inferences that may be in flight at a time.
            timeout: seconds that it may take.

        Raises:
            PolicyFault: it cannot be made, or not in time.
        """
        ...

    def begin(self, seed: int) -> None:
        """An episode begins: reset the policy, and start its random stream from a seed."""
        ...

    def ask(self, inference: Inference, observation: Observation, request: Request) -> None:
        """Start an inference; fewer than `lanes` are in flight."""
        ...

    def answers(self) -> list[Answer]:
        """What has come since the last call, without waiting; those of an inference in their order."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait until there may be an answer, at most so many seconds."""
        ...

    def forget(self, inference: Inference) -> None:
        """Nobody waits for an inference any longer; what runs it may be ended."""
        ...

    def close(self, patience: float) -> None:
        """End all that runs; what is idle may take `patience` seconds to end by itself."""
        ...
