"""A student's code as tests see it: functions to call and policies to play, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chunkenv.course.grading.answers import StudentFault
from chunkenv.course.grading.child_process import ChildProcess
from chunkenv.course.grading.framing import FrameError, Value, write_frame
from chunkenv.errors import ChunkenvError
from chunkenv.remote.messages import write_request
from chunkenv.request import Chunk, Request
from chunkenv.utils.checks import whole_number
from chunkenv.utils.types import Observation

SENTENCES = 1000
"""Characters of a sentence of the student's process that are shown."""


class Student:
    """The code of one student, in a child process.

    Args:
        child: the process, which has the code.
        seconds: that the code may take for all its answers together. What the grader itself does between two questions
            does not count: playing a world takes long, but is not the student's fault.

    Attributes:
        board: what tests told `record`: by name, how many episodes were solved, and of how many.
        delays: the delays in ticks that they told it, by name.
    """

    def __init__(self, child: ChildProcess, seconds: float) -> None:
        self._child, self._limit, self._left = child, seconds, seconds
        self.board: dict[str, tuple[int, int]] = {}
        self.delays: dict[str, list[int]] = {}

    def record(self, name: str, solved: int, episodes: int, delays: Iterable[int] = ()) -> None:
        """Put a line on the leaderboard.

        Args:
            name: such as that of a latency model.
            solved: episodes that were solved.
            episodes: that were played, at least 1.
            delays: in ticks, of inferences that follow each other, to be drawn; none draw nothing.

        Raises:
            ArgumentError: these are no such numbers.
        """
        whole_number("episodes", episodes, at_least=1)
        self.board[name] = (whole_number("solved", solved, at_least=0, at_most=episodes), episodes)
        self.delays[name] = [whole_number("delays", each, at_least=0) for each in delays]

    def load(self, source: str) -> None:
        """Import the code.

        Raises:
            StudentFault: it cannot be imported.
        """
        self.ask({"source": source})

    def call(self, name: str, *args: Value, **kwargs: Value) -> Value:
        """What the student's function returns.

        Args:
            name: of the function.
            *args: None, bools, numbers, texts, lists, dicts or arrays; so is the result. Or a function of such values:
                it stays here, and the student's code can call it until it returns. What the function raises of
                `ChunkenvError` is a ValueError with the same sentence there.
            **kwargs: as `args`, but for functions.

        Raises:
            StudentFault: there is no such function, it raised, or gave no answer that can be read, in time.
        """
        functions = {place: each for place, each in enumerate(args) if callable(each)}
        sent = [None if place in functions else each for place, each in enumerate(args)]
        return self.ask({"call": name, "args": sent, "kwargs": kwargs, "functions": list(functions)}, functions)

    def policy(self, name: str) -> StudentPolicy:
        """The policy that the student's class or function of this name makes, called without arguments.

        Raises:
            StudentFault: as `call`.
        """
        self.ask({"policy": name})
        return StudentPolicy(self, name)

    def ask(self, message: Value, functions: Mapping[int, Callable[..., Value]] | None = None) -> Value:
        """The answer of the student's process to a message.

        Args:
            message: what is asked.
            functions: those that the process may call before it answers, by their place among the arguments.

        Raises:
            StudentFault: it has none.
        """
        deadline = time.monotonic() + self._left
        try:
            answer = self._exchange(message, deadline)
            while isinstance(answer, dict) and set(answer) == {"asks", "args"}:
                answer = self._exchange(_call_here(functions or {}, answer["asks"], answer["args"]), deadline)
        finally:
            self._left = deadline - time.monotonic()
        return _value(answer)

    def _exchange(self, message: Value, deadline: float) -> Value:
        """What the process sends next, after a message."""
        try:
            return self._child.ask(write_frame(message), deadline - time.monotonic())
        except TimeoutError as error:
            raise StudentFault(f"no answer within {self._limit:g} s; look for a loop that does not end.") from error
        except (EOFError, OSError) as error:
            raise StudentFault(
                f"the process of your code ended before it answered: it {self._child.ending()}."
            ) from error
        except FrameError as error:
            raise StudentFault(f"the answer cannot be read: {error}") from error


def _call_here(functions: Mapping[int, Callable[..., Value]], place: Any, args: Any) -> Value:
    """What a function of the grader's returns to the student's code, or in one sentence why it does not."""
    function = functions.get(place) if isinstance(place, int) else None
    if function is None or not isinstance(args, list):
        return {"error": "this function of the grader's is not there any more; call it before yours returns."}
    try:
        return {"value": function(*args)}
    except (ChunkenvError, TypeError) as error:  # arguments that it does not take
        return {"error": str(error)[:SENTENCES]}


def _value(answer: Any) -> Value:
    """The value that an answer holds, which may be anything."""
    if isinstance(answer, dict) and set(answer) == {"value"}:
        return answer["value"]
    if isinstance(answer, dict) and isinstance(answer.get("error"), str):
        raise StudentFault(answer["error"][:SENTENCES])
    raise StudentFault("the process of your code sent something of its own in place of an answer.")


class StudentPolicy:
    """A policy in the student's process: a `chunkenv.request.Policy`, which `chunkenv.evaluate` plays.

    Args:
        student: whose it is.
        name: of the class or function that made it.
    """

    def __init__(self, student: Student, name: str) -> None:
        self._student, self._name = student, name

    def reset(self) -> None:
        """Begin an episode: the student's `reset()`, if there is one."""
        self._student.ask({"reset": self._name})

    def infer(self, observation: Observation, request: Request) -> Chunk:
        """The student's chunk for a request."""
        return self._student.ask({"infer": self._name, "observation": observation, "request": write_request(request)})
