"""Policies in threads or processes: each lane infers one thing at a time, and a lane that hangs or dies is replaced."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from chunkenv.clock import Inference
from chunkenv.errors import ArgumentError, PolicyFault, brief
from chunkenv.realtime.inferring import Answer, HostedPolicy, makes_policy
from chunkenv.realtime.policy_host import PolicyHost, Ready, serve_policy, serve_policy_in_process
from chunkenv.request import Request
from chunkenv.utils.types import Observation
from chunkenv.vector.workers.handle import Handle
from chunkenv.vector.workers.worker import EnvFailure

MakeHost = Callable[[], PolicyHost]


class PolicyHandle(Protocol):
    """A thread or a process that answers through a pipe."""

    @property
    def connection(self) -> multiprocessing.connection.Connection:
        """The end of the pipe on this side."""
        ...

    def ask(self, *request: object) -> None:
        """Send a request."""
        ...

    def answer(self) -> object:
        """What was answered, or an `EnvFailure` if the other side has gone."""
        ...

    def end(self, patience: float = 0.0) -> None:
        """End it, after at most `patience` seconds."""
        ...


class ThreadHandle:
    """A policy in a thread of this process. One that hangs cannot be ended: it is left to itself, and heard no more.

    Args:
        make_host: makes the policy, in the thread.
    """

    def __init__(self, make_host: MakeHost) -> None:
        self.connection, theirs = multiprocessing.Pipe()
        self._thread = threading.Thread(
            target=serve_policy, args=(make_host, theirs), name="chunkenv-policy", daemon=True
        )
        self._thread.start()

    def ask(self, *request: object) -> None:
        """Send a request; if the thread has ended, `answer` says so."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(request)

    def answer(self) -> object:
        """What was answered, or an `EnvFailure`."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            return EnvFailure("its thread has ended")

    def end(self, patience: float = 0.0) -> None:
        """Close the pipe, at which the thread ends once it is idle."""
        self.connection.close()
        self._thread.join(patience)


def process_handle(make_host: MakeHost) -> Handle:
    """A policy in a process of its own.

    Raises:
        ArgumentError: the policy cannot be sent there.
    """
    try:
        context = multiprocessing.get_context("spawn")
        return Handle(make_host, context, target=serve_policy_in_process, remedy="use a smaller policy")
    except Exception as error:  # of whatever class its parts raise
        raise ArgumentError(
            f"the policy cannot be sent to a process ({brief(error)}): give a function without arguments that makes "
            "it there, or worker='thread'."
        ) from error


class Lane:
    """One thread or process, of which one thing is asked at a time.

    Args:
        handle: of the thread or process.

    Attributes:
        ready: whether its policy is made.
        inference: what it infers; None if it is idle.
        gone: why it can be asked no more; empty if it can.
    """

    def __init__(self, handle: PolicyHandle) -> None:
        self.handle = handle
        self.started = time.monotonic()
        self.ready, self.gone = False, ""
        self.inference: Inference | None = None
        self._unsent: list[tuple[object, ...]] = []

    def send(self, *message: object) -> None:
        """Send a message, or keep it until the policy is made: nobody would read it, and a pipe that is full blocks."""
        if self.ready:
            self.handle.ask(*message)
        else:
            self._unsent.append(message)

    def receive(self) -> list[Answer]:
        """What has come; of one that has gone, that it has."""
        answers: list[Answer] = []
        while not self.gone and self.handle.connection.poll():
            answers += self._take(self.handle.answer())
        return answers

    def drop(self) -> None:
        """Nobody waits for what it infers, and it has not begun yet."""
        self.inference = None
        self._unsent = [message for message in self._unsent if message[0] != "infer"]

    def _take(self, message: object) -> list[Answer]:
        if isinstance(message, Answer):
            if message.finished:
                self.inference = None
            return [message]
        if isinstance(message, Ready) and not message.failure:
            self.ready = True
            for unsent in self._unsent:
                self.handle.ask(*unsent)
            return []
        return self._lose(message)

    def _lose(self, message: object) -> list[Answer]:
        """It has ended, or its policy cannot be made."""
        failure = message if isinstance(message, Ready) else Ready(getattr(message, "sentence", brief(message)))
        self.gone, lost = failure.failure, self.inference
        self.inference = None
        return [] if lost is None else [Answer(lost, failure=self.gone, details=failure.details)]


class LanePool:
    """As many lanes as inferences may be in flight, all with the same policy.

    Threads share it: with several it must be one that several may ask. Each process has a copy.

    Args:
        make_handle: starts a thread or a process: `ThreadHandle` or `process_handle`.
    """

    def __init__(self, make_handle: Callable[[MakeHost], PolicyHandle]) -> None:
        self._make_handle = make_handle
        self._lanes: list[Lane] = []
        self._seed = 0

    def open(self, hosted: HostedPolicy, lanes: int, timeout: float) -> None:
        """Start the lanes, and wait until all are ready.

        Raises:
            ArgumentError: the policy cannot be sent to a process.
            PolicyFault: it cannot be made, or not in time.
        """
        self._hosted, self._patience = hosted, timeout
        for lane in range(lanes):
            self._lanes.append(self._start(lane))
        deadline = time.monotonic() + timeout
        while waiting := [lane for lane in self._lanes if not lane.ready]:
            self.wait(max(deadline - time.monotonic(), 0.0))
            self.answers()
            if gone := next((lane.gone for lane in waiting if lane.gone), ""):
                raise PolicyFault(f"{gone.rstrip('.')}; fix that, and call run again.")
            if time.monotonic() > deadline and not all(lane.ready for lane in waiting):
                raise PolicyFault(f"the policy was not made within {timeout:g} seconds; give a longer start_timeout.")

    def begin(self, seed: int) -> None:
        """An episode begins."""
        self._seed = seed
        for lane in self._lanes:
            lane.send("begin", seed)

    def ask(self, inference: Inference, observation: Observation, request: Request) -> None:
        """Ask a lane that is idle; one that has ended is started anew."""
        number = next(number for number, lane in enumerate(self._lanes) if lane.inference is None)
        if self._lanes[number].gone:
            self._replace(number)
        lane = self._lanes[number]
        lane.inference = inference
        lane.send("infer", time.monotonic(), inference, observation, request)

    def answers(self) -> list[Answer]:
        """What has come."""
        return [answer for lane in self._lanes for answer in lane.receive()]

    def wait(self, seconds: float) -> None:
        """Wait until something comes."""
        multiprocessing.connection.wait([lane.handle.connection for lane in self._lanes if not lane.gone], seconds)

    def forget(self, inference: Inference) -> None:
        """End the lane that infers this, and start another; one that is being started may go on with that."""
        number = next((number for number, lane in enumerate(self._lanes) if lane.inference == inference), None)
        if number is None:
            return
        lane = self._lanes[number]
        if lane.ready or time.monotonic() > lane.started + self._patience:
            self._replace(number)
        else:
            lane.drop()

    def close(self, patience: float) -> None:
        """End all lanes."""
        for lane in self._lanes:
            lane.send("close")
        for lane in self._lanes:
            lane.handle.end(patience)
        self._lanes = []

    def _start(self, number: int) -> Lane:
        shared = self._make_handle is ThreadHandle and not makes_policy(self._hosted.policy)
        return Lane(self._make_handle(partial(PolicyHost, self._hosted, number, resets=number == 0 or not shared)))

    def _replace(self, number: int) -> None:
        self._lanes[number].handle.end()
        self._lanes[number] = self._start(number)
        self._lanes[number].send("begin", self._seed)
