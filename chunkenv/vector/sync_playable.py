"""Which vector environments can play cycles, and gymnasium's `SyncVectorEnv` as one that can."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array

from chunkenv.errors import ArgumentError, brief
from chunkenv.utils.batching import Infos, Playable, Playback
from chunkenv.utils.infos import without_unknown_success
from chunkenv.utils.spaces import chunk_space, map_parts, split
from chunkenv.utils.types import Action, AnyVectorEnv, Info, Observation
from chunkenv.wrappers.tick_player import Play, play_rows


def playable(vector_env: AnyVectorEnv) -> Playable:
    """What plays cycles in a vector environment.

    Raises:
        ArgumentError: if it is none, or can only be stepped whole: a common cycle would run on after an end.
    """
    if not isinstance(vector_env, VectorEnv):
        raise ArgumentError(
            f"{brief(vector_env)} is no gymnasium.vector.VectorEnv; make one with gymnasium.make_vec, or use "
            "chunkenv.ChunkedExecution around a single environment."
        )
    if callable(getattr(type(vector_env), "play", None)):
        return vector_env  # pyright: ignore[reportReturnType] (as `Playable` says)
    if type(vector_env) is SyncVectorEnv:
        return SyncPlayable(vector_env)
    raise ArgumentError(
        f"{vector_env} can only be stepped whole, and a common cycle would run on in environments whose episode has "
        "ended inside it: put the chunks inside, as gymnasium.make_vec(id, num_envs, 'async', wrappers=["
        "functools.partial(chunkenv.ChunkedExecution, prediction_horizon=...)]) does, and other wrappers around them."
    )


class SyncPlayable:
    """The environments of a `SyncVectorEnv`, played one by one: its own step and autoreset are passed over.

    Args:
        vector_env: whose `envs` are played.
    """

    def __init__(self, vector_env: SyncVectorEnv) -> None:
        self._vector = vector_env
        self.envs = vector_env.envs
        self._chunks = chunk_space(vector_env.single_action_space, 1)  # for their nesting, whatever their length
        self._present: list[Observation] = [None] * len(self.envs)
        self._ticks = [0] * len(self.envs)

    def restart(
        self, members: np.ndarray, seeds: Sequence[int | None], options: Info | None
    ) -> tuple[Observation, Infos]:
        """Reset some environments, one by one; see `Playable`."""
        infos: Infos = {}
        for index in np.flatnonzero(members).tolist():
            self._present[index], info = self.envs[index].reset(seed=seeds[index], options=options)
            self._ticks[index] = 0
            infos = self._vector._add_info(infos, info, index)
        return self.observe(), infos

    def play(self, actions: Action, ticks: np.ndarray, *, every_tick: bool = False) -> Playback:
        """Play each environment's own number of ticks; see `Playable`."""
        plays = [self._play(index, actions, count, every_tick) for index, count in enumerate(ticks.tolist())]
        rewards = np.zeros((len(plays), int(ticks.max())))
        infos: Infos = {}
        for index, play in enumerate(plays):
            rewards[index, : len(play.rewards)] = play.rewards
            infos = self._vector._add_info(infos, without_unknown_success(play.info), index)
        return Playback(
            self.observe(),
            rewards,
            np.array([len(play.rewards) for play in plays], np.int64),
            np.array([play.terminated for play in plays]),
            np.array([play.truncated for play in plays]),
            infos,
            [play.seen for play in plays] if every_tick else None,
            np.array([play.first_success for play in plays], np.int64),
        )

    def _play(self, index: int, actions: Action, count: int, every_tick: bool) -> Play:
        rows = map_parts(lambda _, value: value[index, :count], self._chunks, actions)
        env, tick = self.envs[index], self._ticks[index]
        try:
            play = play_rows(env, split(self._chunks, rows), self._present[index], tick, every_tick)
        except Exception as error:
            error.add_note(f"this is environment {index} of {self._vector}; the others cannot go on without it.")
            raise
        self._present[index] = play.observation
        self._ticks[index] += len(play.rewards)
        return play

    def observe(self) -> Observation:
        """A new batch of the present observations of all environments."""
        space = self._vector.single_observation_space
        return concatenate(space, self._present, create_empty_array(space, len(self._present)))


Members = SyncPlayable  # what older pickles call it
