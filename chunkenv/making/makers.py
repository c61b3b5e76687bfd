"""Entry points of ids whose environments can be made in chunks: the arguments of chunked execution ask for that."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.vector import VectorEnv
from gymnasium.wrappers import TimeLimit

from chunkenv.errors import ArgumentError, brief, suggest
from chunkenv.utils.checks import real_number
from chunkenv.vector import ChunkedVectorExecution
from chunkenv.wrappers import ActionNoise, ChunkedExecution
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
            spec.kwargs |= {
                name: self._saved_kwargs[name]
                for name in CHUNK_ARGUMENTS & spec.kwargs.keys() & self._saved_kwargs.keys()
            }
        return spec


class NoisyTask(ActionNoise):
    """`ActionNoise` as `gymnasium.make` makes it: its spec is the id with the argument `action_noise`."""

    @property
    def spec(self) -> EnvSpec | None:
        """The spec that makes it again."""
        return self.env.spec


@dataclass(frozen=True)
class EnvMaker:
    """The entry point of an id for `gymnasium.make`.

    With an argument of `ChunkedExecution` the environment is in chunks, its time limit inside, in ticks. What
    `gymnasium.make` puts around it counts decisions: a `max_episode_steps` of its own (for one in ticks, put
    `ChunkedExecution` around `gymnasium.make(id, max_episode_steps=...)`), and frames of "rgb_array_list".

    Args:
        kind: the class of the environment.
        find_time_limit: from the environment's arguments to the ticks after which an episode is truncated.
        metadata: of the class, for `gymnasium.make` to read before there is an environment.
        takes_noise: whether there is an argument `action_noise`, the standard deviation of `ActionNoise` around it.

    >>> from chunkenv.kinetix import KinetixEnv
    >>> make = EnvMaker(KinetixEnv, lambda arguments: 256, KinetixEnv.metadata)
    >>> make(level="catapult", prediction_horizon=8, latency=2)
    <ChunkedTask<TimeLimit<KinetixEnv instance>>>
    """

    kind: Callable[..., gym.Env]
    find_time_limit: Callable[[Mapping[str, Any]], int]
    metadata: dict[str, Any] = field(repr=False)
    takes_noise: bool = False

    def __call__(self, **arguments: Any) -> gym.Env:
        """An environment, in chunks if an argument of `ChunkedExecution` is among the arguments.

        Raises:
            ArgumentError: an argument that neither has or that is invalid, or chunks without prediction_horizon.
        """
        own, chunks = _split(self.kind, arguments, {"action_noise"} if self.takes_noise else set())
        std = real_number("action_noise", own.pop("action_noise", 0.0), at_least=0.0)
        env = NoisyTask(self.kind(**own), std) if std else self.kind(**own)
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


def _split(
    kind: Callable[..., object], arguments: Arguments, others: AbstractSet[str] = frozenset()
) -> tuple[Arguments, Arguments]:
    """The arguments of an environment (and `others`), and those of chunked execution."""
    own = (inspect.signature(kind).parameters.keys() | others) - {"num_envs"}
    for name in arguments.keys() - CHUNK_ARGUMENTS - own:
        known = sorted(own | CHUNK_ARGUMENTS)
        raise ArgumentError(f"{name}={arguments[name]!r} is no argument here; {suggest(name, known)}")
    chunks = {name: value for name, value in arguments.items() if name in CHUNK_ARGUMENTS}
    if chunks and "prediction_horizon" not in chunks:
        given = ", ".join(f"{name}={brief(value)}" for name, value in chunks.items())
        raise ArgumentError(
            f"{given} needs chunks, but there is no prediction_horizon: give the number of rows in a chunk, such as "
            "prediction_horizon=8 (1 for single actions)."
        )
    return {name: value for name, value in arguments.items() if name not in chunks}, chunks
