"""What a server's study needs first: what its chunks are, and how long it takes, measured where it is not known yet."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from chunkenv.bench.studies.remote_study import RemoteTask, Server, Setup
from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError
from chunkenv.latency import Measured, TraceRow, control_dt_of, write_trace
from chunkenv.latency.trace_file import read_latencies
from chunkenv.remote.measuring import Measurement, measure, measure_together
from chunkenv.request import Chunk, Policy, Request
from chunkenv.utils.spaces import chunk_space, cut, padding
from chunkenv.utils.types import AnyEnv
from chunkenv.wrappers import ChunkedExecution

PROBES = 3
"""Inferences that say how long one takes, roughly: for the horizon at which it is then measured."""


class Measuring(NamedTuple):
    """How a server is measured.

    Attributes:
        out: the folder of the recordings, trace-K.jsonl.
        in_flight: the numbers of inferences under way, 1 among them.
        inferences: how many are measured, of each number.
        warm_up: inferences before.
        seed: of the episodes that are played meanwhile.
        control_dt: seconds per tick; None: what the environment says.
        anew: whether recordings that are there are replaced.
    """

    out: Path
    in_flight: Sequence[int]
    inferences: int
    warm_up: int
    seed: int
    control_dt: float | None
    anew: bool


def set_up(how: Measuring, server: Server, task: RemoteTask, say: Callable[[str], None]) -> Setup:
    """Ask a server what its chunks are, and measure what is not measured yet.

    Args:
        how: what is measured.
        server: what is asked.
        task: what it plays meanwhile.
        say: is told what takes its time.

    Raises:
        ArgumentError: an argument that is invalid, or a task that does not say how long a tick is.
        PolicyFault: the server failed, or its chunks are not those of the task.
    """
    with contextlib.closing(task.make()) as world:
        control_dt = control_dt_of(world, how.control_dt)
        if control_dt is None:
            raise ArgumentError(f"{task.name} does not say how long a control step is; give --control-dt in seconds.")
        with server.connect() as client:
            rows, seconds = _probe(world, client, how.warm_up)
        space = chunk_space(world.action_space, rows)
        horizon = max(1, rows - ticks(seconds, control_dt))
        env = ChunkedExecution(world, rows, horizon, Measured(), delay_estimate="max", control_dt=control_dt)
        with server.connect(space) as policy:
            traces = _traces(how, env, policy, control_dt, say)
    return Setup(task, server, space, rows, control_dt, traces)


def _probe(world: AnyEnv, client: Policy, warm_up: int) -> tuple[int, float]:
    """The rows of the server's chunks, and the median seconds of an inference after those that warm it up."""
    observation, _ = world.reset(seed=0)
    one = chunk_space(world.action_space, 1)
    nothing = cut(one, padding(one), slice(0, 0))
    request = Request(0, nothing, 0, 0, 1, nothing)
    chunk, seconds = None, []
    for _ in range(warm_up + PROBES):
        started = time.perf_counter()
        chunk = client.infer(observation, request._replace(rng=np.random.default_rng(0)))
        seconds.append(time.perf_counter() - started)
    return _count_rows(chunk), float(np.median(seconds[-PROBES:]))


def _traces(
    how: Measuring, env: AnyEnv, policy: Policy, control_dt: float, say: Callable[[str], None]
) -> dict[int, tuple[float, ...]]:
    """The recordings in the folder, by the number in flight; those that are missing are measured now."""
    paths = {count: how.out / f"trace-{count}.jsonl" for count in how.in_flight}
    missing = [count for count, path in paths.items() if how.anew or not path.is_file()]
    if missing:
        say(f"Measuring {how.inferences} inferences, {', then '.join(map(str, missing))} at a time ...")
        first = measure(env, policy, how.inferences, how.seed, warm_up=1)
        for count in missing:
            rows = first.rows if count == 1 else _together(how, policy, first, count, control_dt)
            write_trace(paths[count], rows, control_dt)
    return {count: tuple(itertools.chain(*read_latencies(str(path)))) for count, path in paths.items()}


def _together(how: Measuring, policy: Policy, first: Measurement, count: int, control_dt: float) -> list[TraceRow]:
    return measure_together(policy, first.questions, count, how.inferences, control_dt)


def _count_rows(chunk: Chunk) -> int:
    if isinstance(chunk, dict):
        return _count_rows(next(iter(chunk.values())))
    return _count_rows(chunk[0]) if isinstance(chunk, tuple) else len(chunk)
