"""Where a policy runs: it is made there, reset, asked, and what it does wrong becomes an answer."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from chunkenv.clock import Inference
from chunkenv.errors import ActionError, PolicyFault
from chunkenv.evaluate import check_policy, reset_policy
from chunkenv.realtime.inferring import Answer, HostedPolicy, check_stream, makes_policy
from chunkenv.request import Request
from chunkenv.utils.processes import begin_worker
from chunkenv.utils.seeding import spawn
from chunkenv.utils.types import Observation


class Ready(NamedTuple):
    """The policy is made and can be asked; or why it cannot, in a sentence, with the traceback."""

    failure: str = ""
    details: str = ""


class PolicyHost:
    """A policy, and the random stream of its episode.

    Args:
        hosted: the policy, or the function that makes it.
        lane: its number, if several infer at once: each has a random stream of its own. The first one's is that of
            `chunkenv.evaluate`.
        resets: whether it resets the policy when an episode begins; of those that share one only the first does.
    """

    def __init__(self, hosted: HostedPolicy, lane: int = 0, resets: bool = True) -> None:
        given, self._read, self._read_rows = hosted
        self._policy: Any = given() if makes_policy(given) else given  # pyright: ignore
        self._resets = resets
        check_policy(self._policy)
        if self._read_rows:
            check_stream(self._policy)
        self._lane, self._rng = lane, spawn(0, "policy", lane)
        self._fault: Exception | None = None

    def begin(self, seed: int) -> None:
        """Start an episode; a reset that raises is told with the next answer."""
        self._rng, self._fault = spawn(seed, "policy", self._lane), None
        try:
            if self._resets:
                reset_policy(self._policy)
        except Exception as error:
            self._fault = error

    def answers(self, inference: Inference, observation: Observation, request: Request) -> Iterator[Answer]:
        """The chunk of a request, or why there is none; before that its rows as they come, if they stream."""
        try:
            if self._fault is not None:
                raise self._fault
            infer = self._infer if self._read_rows is None else self._infer_stream
            yield from infer(inference, observation, request._replace(rng=self._rng))
        except Exception as error:
            yield Answer(inference, failure=self._say(error), details=_trace(error))

    def _infer(self, inference: Inference, observation: Observation, request: Request) -> Iterator[Answer]:
        chunk, horizon = self._read(self._policy.infer(observation, request))
        yield Answer(inference, chunk, horizon, evaluations=self._evaluations)

    def _infer_stream(self, inference: Inference, observation: Observation, request: Request) -> Iterator[Answer]:
        assert self._read_rows is not None
        answer = Answer(inference)
        for chunk, rows in self._read_rows(self._policy.infer_stream(observation, request)):
            answer = Answer(inference, chunk, rows=rows, finished=False)
            yield answer
        yield answer._replace(evaluations=self._evaluations, finished=True)

    @property
    def _evaluations(self) -> int | None:
        cost = getattr(self._policy, "cost", None)
        return None if cost is None else cost.evaluations

    def _say(self, error: Exception) -> str:
        name = type(self._policy).__name__
        if isinstance(error, PolicyFault):
            return str(error)
        if isinstance(error, ActionError) and self._read_rows:
            return f"{name}.infer_stream yielded rows that cannot be executed: {error}"
        if isinstance(error, ActionError):
            return f"{name}.infer returned a chunk that cannot be executed: {error}"
        return f"{name} raised {type(error).__name__}: {error}"


def serve_policy(make_host: Callable[[], PolicyHost], connection: Connection) -> None:
    """Make the policy, then answer until the connection closes: what a worker thread does."""
    host, ready = _make(make_host)
    try:
        connection.send(ready)
        while host is not None and _answer_one(host, connection):
            pass
    except (EOFError, OSError):
        pass  # nobody listens any longer
    finally:
        connection.close()


def serve_policy_in_process(make_host: Callable[[], PolicyHost], connection: Connection) -> None:
    """What a worker process does: the same, and it ends with its parent."""
    begin_worker()
    serve_policy(make_host, connection)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a spawned interpreter takes long to go by itself, and its parent waits


def _make(make_host: Callable[[], PolicyHost]) -> tuple[PolicyHost | None, Ready]:
    try:
        return make_host(), Ready()
    except Exception as error:
        return None, Ready(f"the policy cannot be made: {type(error).__name__}: {error}", _trace(error))


def _answer_one(host: PolicyHost, connection: Connection) -> bool:
    """Do what comes next; whether there is more to come."""
    name, *arguments = connection.recv()
    if name == "begin":
        host.begin(*arguments)
    elif name == "infer":
        asked, *question = arguments
        for answer in host.answers(*question):
            connection.send(answer._replace(seconds=time.monotonic() - asked))
    return name != "close"


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))
