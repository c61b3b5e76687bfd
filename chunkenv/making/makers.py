"""Entry points of ids whose environments can be made in chunks: the arguments of chunked execution ask for that."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.vector import VectorEnv
from gymnasium.wrappers import TimeLimit

from chunkenv.errors import ArgumentError, suggest
from chunkenv.vector import ChunkedVectorExecution
from chunkenv.wrappers import ChunkedExecution
from chunkenv.wrappers.options import ChunkOptions

CHUNK_ARGUMENTS = frozenset(option.name for option in fields(ChunkOptions))
"""The names of the arguments of `ChunkedExecution`."""

Arguments = dict[str, Any]


class ChunkedTask(ChunkedExecution):
    """`ChunkedExecution` as `gymnasium.make` makes it: its spec is the id with the arguments of chunks."""

    @property
    def spec(self) -> EnvSpec | None:
        """The spec that makes it again, the arguments of chunks as plain data."""
        spec = copy.deepcopy(self.env.spec)
        if spec is not None:
            spec.kwargs |= {name: self._saved_kwargs[name] for name in CHUNK_ARGUMENTS & spec.kwargs.keys()}
        return spec


@dataclass(frozen=True)
class EnvMaker:
    """The entry point of an id for `gymnasium.make`.

    With an argument of `ChunkedExecution` the environment is in chunks, its time limit inside, in ticks. What
    `gymnasium.make` puts around it counts decisions: a `max_episode_steps` of its own, and frames of "rgb_array_list".

    Args:
        kind: the class of the environment.
        find_time_limit: from the environment's arguments to the ticks after which an episode is truncated.
        metadata: of the class, for `gymnasium.make` to read before there is an environment.

    >>> from chunkenv.kinetix import KinetixEnv
    >>> make = EnvMaker(KinetixEnv, lambda arguments: 256, KinetixEnv.metadata)
    >>> make(level="catapult", prediction_horizon=8, latency=2)
    <ChunkedTask<TimeLimit<KinetixEnv instance>>>
    """

    kind: Callable[..., gym.Env]
    find_time_limit: Callable[[Mapping[str, Any]], int]
    metadata: dict[str, Any] = field(repr=False)

    def __call__(self, **arguments: Any) -> gym.Env:
        """An environment, in chunks if an argument of `ChunkedExecution` is among the arguments.

        Raises:
            ArgumentError: an argument that neither has or that is invalid, or chunks without prediction_horizon.
        """
        own, chunks = _split(self.kind, arguments)
        env = self.kind(**own)
        return ChunkedTask(TimeLimit(env, self.find_time_limit(own)), **chunks) if chunks else env


@dataclass(frozen=True)
class VectorEnvMaker:
    """The entry point of an id for `gymnasium.make_vec`.

    Args:
        kind: the class of a vector environment that plays several ticks in one call.

    >>> from chunkenv.kinetix import KinetixVectorEnv
    >>> VectorEnvMaker(KinetixVectorEnv)(2, level="catapult", prediction_horizon=8, latency=2)
    <ChunkedVectorExecution, KinetixVectorEnv(num_envs=2)>
    """

    kind: Callable[..., VectorEnv]
    plays_cycles: ClassVar[bool] = True

    def __call__(self, num_envs: int = 1, **arguments: Any) -> VectorEnv:
        """N environments, in chunks if an argument of `ChunkedExecution` is among the arguments.

        Raises:
            ArgumentError: an argument that neither has or that is invalid, or chunks without prediction_horizon.
        """
        own, chunks = _split(self.kind, arguments)
        envs = self.kind(num_envs=num_envs, **own)
        return ChunkedVectorExecution(envs, **chunks) if chunks else envs


def plays_cycles(env_id: str) -> bool:
    """Whether the vector entry point of a registered id makes environments that play several ticks in one call.

    It says so by an attribute `plays_cycles`, as `VectorEnvMaker` has it.

    >>> plays_cycles("chunkenv/kinetix-catapult-v0"), plays_cycles("CartPole-v1")
    (True, False)
    """
    spec = gym.registry.get(env_id)
    point = spec and spec.vector_entry_point
    if not point:
        return False
    try:
        maker = load_env_creator(point) if isinstance(point, str) else point
    except (ImportError, AttributeError, gym.error.Error):  # it needs what is not installed
        return False
    return bool(getattr(maker, "plays_cycles", False))


def _split(kind: Callable[..., object], arguments: Arguments) -> tuple[Arguments, Arguments]:
    """The arguments of an environment and those of chunked execution."""
    own = inspect.signature(kind).parameters.keys() - {"num_envs"}
    for name in arguments.keys() - CHUNK_ARGUMENTS - own:
        known = sorted(own | CHUNK_ARGUMENTS)
        raise ArgumentError(f"{name}={arguments[name]!r} is no argument here; {suggest(name, known)}")
    chunks = {name: value for name, value in arguments.items() if name in CHUNK_ARGUMENTS}
    if chunks and "prediction_horizon" not in chunks:
        raise ArgumentError(f"{', '.join(chunks)}: these are about chunks; give prediction_horizon, too.")
    return {name: value for name, value in arguments.items() if name not in chunks}, chunks
