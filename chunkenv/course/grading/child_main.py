"""The process of a student's code: `python child_main.py FOLDER BYTES PROCESSES`, with the grader at its streams.

Both streams are moved to descriptors of their own first. What the student prints goes to standard error, which the
grader keeps.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

NAME, FILE = "solution", "solution.py"
"""Of the module that the student's code is in, as tracebacks have them."""


def main() -> None:
    """Answer messages until the grader has no more."""
    from_grader, to_grader = _private_streams()
    package_parent, memory, processes = sys.argv[1:]
    sys.path.append(package_parent)  # for a package that is not installed
    _limit(int(memory), int(processes))
    random.seed(0)
    import numpy as np

    from chunkenv.course.grading.framing import receive_frame

    np.random.seed(0)  # noqa: NPY002 - a student who uses it gets the same score in every run

    def ask_grader(frame: bytes) -> Any:
        to_grader.write(frame)
        to_grader.flush()
        return receive_frame(from_grader, tuples=tuple)

    answerer = _Answerer(ask_grader)
    with contextlib.suppress(EOFError):  # no more messages
        message = receive_frame(from_grader, tuples=tuple)
        while True:
            message = ask_grader(_reply(answerer, message))


def _private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Two for the grader; after it the student's own input is empty, and prints go to standard error."""
    from_grader, to_grader = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(2, 1)
    os.close(empty)
    return from_grader, to_grader


def _limit(memory: int, processes: int) -> None:
    """Limit this process by the system, where it can; the grader watches it everywhere.

    Args:
        memory: bytes of address space.
        processes: of this user, 0 for no limit.
    """
    with contextlib.suppress(ImportError):  # Windows
        import resource

        if sys.platform == "linux":  # elsewhere it limits nothing
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if processes:
            resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _reply(answerer: _Answerer, message: Any) -> bytes:
    """The frame that answers a message: the value, or in one sentence why there is none."""
    from chunkenv.course.grading.framing import FrameError, write_frame

    try:
        return write_frame({"value": answerer.answer(message)})
    except FrameError as error:
        return write_frame({"error": f"your answer cannot be sent: {error}"})
    except BaseException as error:  # SystemExit, too: it is an answer that is missing
        _print_own_frames(error)
        return write_frame({"error": _sentence(error)})
    finally:
        with contextlib.suppress(Exception):  # whatever the student has made of them
            sys.stdout.flush()
            sys.stderr.flush()


def _print_own_frames(error: BaseException) -> None:
    """The traceback from the student's file on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != FILE:
        trace = trace.tb_next
    if trace is not None:
        traceback.print_exception(type(error), error, trace)


def _sentence(error: BaseException) -> str:
    """An error in one line, with the line of the student's file that it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    place = f" in line {frames[-1].lineno}" if frames else ""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        place = f" in line {error.lineno}"
    text = " ".join(str(error).split())[:500]
    return f"your code raised {type(error).__name__}{place}{': ' * bool(text)}{text or '.'}"


class _Answerer:
    """The student's module and the policies that it made.

    Args:
        ask_grader: sends a frame, and returns the grader's next message.
    """

    def __init__(self, ask_grader: Callable[[bytes], Any]) -> None:
        self._ask_grader = ask_grader
        self._names: dict[str, Any] = {}
        self._policies: dict[str, Any] = {}

    def answer(self, message: dict[str, Any]) -> Any:
        """What one message asks for: its first key says which."""
        kind = next(iter(message))
        return getattr(self, f"_{kind}")(message)

    def _source(self, message: dict[str, Any]) -> None:
        import linecache
        import types

        source = message["source"]
        linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)  # for tracebacks
        module = types.ModuleType(NAME)
        sys.modules[NAME] = module  # dataclasses look there
        exec(compile(source, FILE, "exec", dont_inherit=True), vars(module))
        self._names = vars(module)

    def _call(self, message: dict[str, Any]) -> Any:
        args = list(message["args"])
        for place in message["functions"]:
            args[place] = partial(self._ask, place)
        return self._find(message["call"])(*args, **message["kwargs"])

    def _ask(self, place: int, *args: Any) -> Any:
        """What a function of the grader's returns; it stands in for that function among the arguments."""
        from chunkenv.course.grading.framing import write_frame

        reply = self._ask_grader(write_frame({"asks": place, "args": list(args)}))
        if "error" in reply:
            raise ValueError(reply["error"])
        return reply["value"]

    def _policy(self, message: dict[str, Any]) -> None:
        name = message["policy"]
        self._policies[name] = self._find(name)()

    def _reset(self, message: dict[str, Any]) -> None:
        reset = getattr(self._policies[message["reset"]], "reset", None)
        if reset is not None:
            reset()

    def _infer(self, message: dict[str, Any]) -> Any:
        from chunkenv.remote.messages import read_request

        policy = self._policies[message["infer"]]
        return policy.infer(message["observation"], read_request(message["request"]))

    def _find(self, name: str) -> Callable[..., Any]:
        found = self._names.get(name)
        if not callable(found):
            raise NameError(f"there is no function or class {name!r}; keep the names of the template.")
        return found


if __name__ == "__main__":
    main()
