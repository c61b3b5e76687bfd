"""`chunkenv trace record`."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import typer
from rich.console import Console

from chunkenv.cli.command_line import LARGEST_SEED, LONGEST, AnyTask, real, whole
from chunkenv.cli.scene import METHODS, PlayedScene, make_policy
from chunkenv.cli.trace.show import describe_control
from chunkenv.errors import ArgumentError
from chunkenv.latency import RecordedTrace, control_dt_of, write_trace
from chunkenv.realtime import RealtimeExecution
from chunkenv.registration import read_id
from chunkenv.utils.extras import require
from chunkenv.utils.user_files import MadeInFile
from chunkenv.wrappers import ChunkedExecution


def record(
    task: AnyTask,
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.py:NAME", help="Your policy: a function in a file that makes it, without arguments."
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"In place of a policy of yours, one of {', '.join(METHODS)}.",
            show_default="as `chunkenv play` chooses",
        ),
    ] = None,
    prediction_horizon: Annotated[int, whole(help="Rows in a chunk.", at_most=LONGEST)] = 8,
    execution_horizon: Annotated[
        int, whole("--horizon", "--execution-horizon", help="Ticks between inferences.", at_most=LONGEST)
    ] = 4,
    max_in_flight: Annotated[int, whole(help="Inferences under way at a time.", at_most=LONGEST)] = 1,
    rate: Annotated[float | None, real(help="Control steps per second.", default="the environment's own")] = None,
    worker: Annotated[
        str,
        typer.Option(metavar="NAME", help="process, or thread for a policy that only asks a server."),
    ] = "process",
    episodes: Annotated[int, whole(help="How many, one after another.")] = 5,
    seed: Annotated[int, whole(help="Of the episodes.", at_most=LARGEST_SEED)] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For the recording.", show_default="TASK.jsonl")
    ] = None,
) -> None:
    """Play a task under the real clock, and record how long each inference takes.

    The control loop keeps its period while the policy infers beside it. The file is replayed by
    `latency=Trace(FILE, mode="exact")`, shown by `chunkenv trace show` and fitted by `chunkenv trace fit`.
    """
    scene = PlayedScene(task, method, 0, prediction_horizon, execution_horizon)
    if scene.level:
        require("kinetix")
    env = _make_env(scene)
    if policy is not None and method is not None:
        raise ArgumentError(f"--policy {policy} and --method {method} would both play; give one.")
    make = MadeInFile(Path(policy)) if policy is not None else partial(_make_policy, scene)
    loop = RealtimeExecution(
        env,
        make,
        prediction_horizon,
        execution_horizon,
        control_dt=_control_dt(env, task, rate),
        worker=worker,
        max_in_flight=max_in_flight,
        warm_up=0 if policy is None else 1,
    )
    rows = loop.run(episodes, seed)
    file = out or Path(f"{task.rpartition('/')[2]}.jsonl")
    write_trace(file, loop.trace, loop.control_dt)
    console = Console(highlight=False)
    console.print(_summary(rows), soft_wrap=True)
    console.print(describe_control(RecordedTrace(loop.control_dt, tuple(loop.trace))), soft_wrap=True)
    console.print(f"recording  {file}", soft_wrap=True)


def _make_env(scene: PlayedScene) -> gym.Env[Any, Any]:
    """The task, one tick a step, without pictures."""
    if scene.level or scene.family:
        return gym.make(read_id(scene.task), observation="state")
    task = scene.task if ":" in scene.task else read_id(scene.task)
    try:
        return gym.make(task)
    except (gym.error.Error, TypeError, ImportError) as error:
        raise ArgumentError(f"task={scene.task!r} cannot be made: {error}") from error


def _make_policy(scene: PlayedScene) -> Any:
    """A policy of this package, made and warmed up where it infers, on an observation of its task."""
    with contextlib.closing(ChunkedExecution(_make_env(scene), *scene.lengths)) as env:
        policy = make_policy(scene, env)
        observation, _ = env.reset(seed=0)
        policy.infer(observation, env.request._replace(rng=np.random.default_rng(0)))
    return policy


def _control_dt(env: gym.Env[Any, Any], task: str, rate: float | None) -> float:
    """Seconds per tick."""
    if rate is not None and rate <= 0.0:
        raise ArgumentError(f"--rate {rate:g} is not above 0; give control steps per second.")
    found = control_dt_of(env, None if rate is None else 1.0 / rate)
    if found is None:
        raise ArgumentError(f"{task} does not say how long a tick is; give --rate in control steps per second.")
    return found


def _summary(rows: list[dict[str, Any]]) -> str:
    ticks, underruns = (sum(row[name] for row in rows) for name in ("ticks", "underruns"))
    mean = sum(row["return"] for row in rows) / len(rows)
    return f"{len(rows)} episodes, {ticks:,} ticks, {underruns:,} underruns, mean return {mean:g}."
