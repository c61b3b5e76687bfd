"""A policy server in simulation: what its measured latency costs, and what another way to ask it would gain.

The latency was measured before (`chunkenv.remote.measuring`). Here it is replayed by a simulated clock, which waits for
every answer as long as it takes: the rows depend on the recording, not on how fast the server is now.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym

from chunkenv.bench.study import Study
from chunkenv.errors import StaleChunkWarning, UnderrunWarning
from chunkenv.evaluate import Policy
from chunkenv.latency import Latency, Trace
from chunkenv.registration import read_id
from chunkenv.remote.keys import read_key
from chunkenv.utils.checks import whole_number
from chunkenv.utils.types import AnyEnv, AnySpace
from chunkenv.utils.user_files import MadeInFile
from chunkenv.wrappers import ChunkedExecution

NAME = "remote"
EPISODES = 20
QUICK_EPISODES = 4
MEASURED = "as measured"


class RemoteTask(NamedTuple):
    """The task that a server plays.

    Attributes:
        name: of a task of ours, the id of any environment, or FILE.py:NAME, a function that makes one.
        arguments: for `gymnasium.make`.
    """

    name: str
    arguments: Mapping[str, Any]

    def make(self) -> AnyEnv:
        """The environment, without chunks.

        Raises:
            ArgumentError: there is no such task.
        """
        if ".py:" in self.name:
            return MadeInFile(Path(self.name))()
        world = self.name if ":" in self.name else read_id(self.name)
        return gym.make(world, disable_env_checker=True, **self.arguments)


class Server(NamedTuple):
    """How a server is asked.

    Attributes:
        uri: where it is.
        key_variable: the environment variable with its key, None without one. The key itself is kept nowhere.
        options: other arguments of `chunkenv.remote.RemotePolicy`.
    """

    uri: str
    key_variable: str | None
    options: Mapping[str, Any]

    def connect(self, chunk_space: AnySpace | None = None) -> Any:
        """A `RemotePolicy`.

        Raises:
            ArgumentError: the address is invalid, or the variable is not set.
            MissingExtraError: the extra `remote` is not installed.
        """
        from chunkenv.remote import RemotePolicy

        return RemotePolicy(self.uri, api_key=read_key(self.key_variable), chunk_space=chunk_space, **self.options)


class Setup(NamedTuple):
    """What all cells share.

    Attributes:
        task: what is played.
        server: what is asked.
        chunk_space: of the task, with the rows of the server's chunks.
        prediction_horizon: rows of a chunk.
        control_dt: seconds per tick.
        traces: latencies in seconds, by the number of inferences in flight.
    """

    task: RemoteTask
    server: Server
    chunk_space: AnySpace
    prediction_horizon: int
    control_dt: float
    traces: Mapping[int, Sequence[float]]


@dataclass(frozen=True)
class RemoteCell:
    """One way to ask the server, played for some episodes.

    Attributes:
        task: its name.
        method: how many inferences may be in flight: '1 in flight'.
        latency: 'as measured', or a constant one: '2 ticks'.
        execution_horizon: ticks between two requests.
    """

    task: str
    method: str
    latency: str
    execution_horizon: int

    @property
    def in_flight(self) -> int:
        """How many inferences may be in flight."""
        return int(self.method.split()[0])

    def __str__(self) -> str:
        return f"{self.task}, {self.method}, latency {self.latency}, execution horizon {self.execution_horizon}"


def remote_study(
    setup: Setup, horizons: Sequence[int], delays: Sequence[int] = (0,), episodes: int = EPISODES, seed: int = 0
) -> Study:
    """The study over horizons, inferences in flight and latencies.

    Args:
        setup: what all cells share; its traces say how many inferences may be in flight.
        horizons: execution horizons, at most the prediction horizon; the first with one inference in flight is what
            others are compared with.
        delays: constant latencies to compare with, in ticks, with one inference in flight.
        episodes: of each cell.
        seed: of the study.

    Raises:
        ArgumentError: a number that is invalid, or a setting given twice.
    """
    task = setup.task.name
    for horizon in horizons:
        whole_number("execution_horizon", horizon, at_least=1, at_most=setup.prediction_horizon)
    for delay in delays:
        whole_number("delay", delay, at_least=0)
    ways = [(f"{count} in flight", MEASURED) for count in sorted(setup.traces)]
    ways += [("1 in flight", f"{delay} ticks") for delay in delays]
    return Study(
        NAME,
        tuple(RemoteCell(task, *way, horizon) for way in ways for horizon in horizons),
        make_env=partial(make_env, setup),
        make_policy=partial(make_policy, setup),
        episodes=episodes,
        seed=seed,
        settings={
            "server": setup.server.uri,
            **setup.server.options,
            "arguments": dict(setup.task.arguments),
            "prediction_horizon": setup.prediction_horizon,
            "control_dt": setup.control_dt,
            "traces": {str(count): list(trace) for count, trace in setup.traces.items()},
        },
        cost=cost,
    )


def make_env(setup: Setup, cell: RemoteCell) -> AnyEnv:
    """The cell's task, executed in chunks that come as late as the cell says."""
    with warnings.catch_warnings():
        for kind in (StaleChunkWarning, UnderrunWarning):  # what too late costs is what the study asks
            warnings.simplefilter("ignore", kind)
        return ChunkedExecution(
            setup.task.make(),
            setup.prediction_horizon,
            cell.execution_horizon,
            latency_of(setup, cell),
            delay_estimate="max",
            info="actions",
            control_dt=setup.control_dt,
            max_in_flight=cell.in_flight,
        )


def latency_of(setup: Setup, cell: RemoteCell) -> Latency:
    """The recording with as many inferences in flight, or a constant number of ticks."""
    if cell.latency == MEASURED:
        return Trace(setup.traces[cell.in_flight])
    return int(cell.latency.split()[0])


def make_policy(setup: Setup, cell: RemoteCell) -> Policy:
    """The server."""
    return setup.server.connect(setup.chunk_space)


def cost(cell: RemoteCell) -> float:
    """How long an episode of the cell takes, compared to the others: an inference for every horizon."""
    return 1.0 / cell.execution_horizon
