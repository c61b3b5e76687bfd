"""Corrections of the actions of N environments: they are played tick by tick, because each needs an observation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector.utils import iterate

from chunkenv.errors import ActionError, brief
from chunkenv.utils.batching import Infos, Playable, Playback, merge_infos, select_infos
from chunkenv.utils.seeding import Stream
from chunkenv.utils.spaces import read_array
from chunkenv.utils.types import Action, AnySpace, Observation
from chunkenv.wrappers.corrections import Correction


class CorrectedPlay:
    """Plays N environments tick by tick, and corrects each action before it.

    If the corrector has the method

        correct_batch(observations, rows, row_index, tick, rngs) -> array [N, ...]

    it is called once for each tick in which a row acts, with all N environments: `rows` [N, ...], `row_index` int64[N],
    `tick` int64[N], `rngs` a stream for each. Where `row_index` is -1 (an underrun, an episode that has ended, a cycle
    that is over) what it returns is not looked at, and nothing may be drawn from that stream; each of the others is to
    be what `correct` returns for it alone. Without that method `correct` is called for one environment after another.

    Args:
        correction: what corrects the actions of one environment.
        player: the environments.
        observation_space: of the N environments.
        depths: for each environment, how many `ChunkedExecution` wrappers lie inside.
        holds: whether an underrun repeats what acted before; it is not corrected again.
    """

    def __init__(
        self, correction: Correction, player: Playable, observation_space: AnySpace, depths: Sequence[int], holds: bool
    ) -> None:
        self._correction, self._player, self._space, self._holds = correction, player, observation_space, holds
        self._batch: Callable[..., Any] | None = getattr(correction.corrector, "correct_batch", None)
        self._streams = [Stream("correction", depth) for depth in depths]
        self._rngs = [np.random.default_rng(0) for _ in depths]

    def reset(self, members: np.ndarray, seeds: Sequence[int | None]) -> None:
        """Start episodes in some environments (bool[N])."""
        for index in np.flatnonzero(members).tolist():
            self._rngs[index] = self._streams[index].begin(seeds[index])

    def play(
        self, actions: Action, ticks: np.ndarray, row_indices: np.ndarray, start: np.ndarray, every_tick: bool
    ) -> tuple[Playback, Action]:
        """Play each environment's own number of ticks; the playback is as one call of `Playable.play` returns it.

        Args:
            actions: [N, T, ...], as planned.
            ticks: int64[N].
            row_indices: int64[N, T] or longer, which row each action is; -1 in an underrun.
            start: int64[N], control steps since each one's reset.
            every_tick: whether to keep the observations of all ticks.

        Returns:
            What happened, and the actions as they were played.

        Raises:
            ActionError: a correction has another shape, or is not finite.
        """
        executed, nothing = actions.copy(), np.zeros_like(ticks)
        play = self._player.play(executed[:, :1], nothing, every_tick=every_tick)
        play = play._replace(rewards=np.zeros(executed.shape[:2]))
        for tick in range(int(ticks.max())):
            now = (tick < ticks) & ~(play.terminated | play.truncated)
            if not now.any():
                break
            acting = np.where(now, row_indices[:, tick], -1)
            if self._holds and tick:
                waits = acting < 0
                executed[waits, tick] = executed[waits, tick - 1]
            self._correct(executed[:, tick], play.observations, acting, start + tick)
            step = self._player.play(executed[:, tick : tick + 1], now.astype(np.int64), every_tick=every_tick)
            play = _join(play, step, tick, now)
        return play, executed

    def _correct(self, rows: np.ndarray, observations: Observation, row_index: np.ndarray, tick: np.ndarray) -> None:
        """Correct the rows of those that have one, in place."""
        acting = np.flatnonzero(row_index >= 0)
        if not acting.size:
            return
        if self._batch:
            added = self._batch(observations, rows.copy(), row_index.copy(), tick.copy(), tuple(self._rngs))
            rows[acting] = self._add(rows, added, acting, tick)
        else:
            each = list(iterate(self._space, observations))
            for index in acting.tolist():
                rows[index] = self._correct_one(
                    index, each[index], rows[index], int(row_index[index]), int(tick[index])
                )

    def _correct_one(self, index: int, observation: Observation, row: Action, row_index: int, tick: int) -> Action:
        try:
            return self._correction.apply(observation, row, row_index, tick, self._rngs[index])
        except ActionError as error:
            raise ActionError(f"environment {index}: {error}") from error

    def _add(self, rows: np.ndarray, correction: Any, acting: np.ndarray, tick: np.ndarray) -> np.ndarray:
        """The corrected rows of those that have one."""
        added = read_array(correction, "correction", f"an array of shape {rows.shape}")
        if added.shape != rows.shape:
            raise ActionError(
                f"correct_batch returned an array of shape {added.shape}; expected one correction for each "
                f"environment, shape {rows.shape}. Call reset() to go on."
            )
        if added.dtype.kind not in "fiu":
            raise ActionError(
                f"correct_batch returned {brief(correction)} of dtype {added.dtype}; expected numbers. "
                "Call reset() to go on."
            )
        finite = np.isfinite(added[acting]).reshape(len(acting), -1).all(axis=1)
        if not finite.all():
            index = int(acting[~finite][0])
            raise ActionError(
                f"the correction of environment {index} at tick {tick[index]} is {brief(added[index])}; expected "
                "finite numbers. Call reset() to go on."
            )
        return self._correction.add(rows[acting], added[acting], int(tick[acting[0]]))


def _join(play: Playback, step: Playback, tick: int, now: np.ndarray) -> Playback:
    """What happened up to a tick, with that tick, which some environments (bool[N]) played."""
    play.rewards[now, tick] = step.rewards[now, 0]
    return play._replace(
        observations=step.observations,
        ticks=play.ticks + step.ticks,
        terminated=play.terminated | step.terminated,
        truncated=play.truncated | step.truncated,
        infos=_newest(play.infos, step.infos, now),
        seen=_append(play.seen, step.seen),
        first_success=_first_success(play, step),
    )


def _newest(infos: Infos, others: Infos, now: np.ndarray) -> Infos:
    """The infos of the last tick of each environment."""
    return merge_infos(select_infos(infos, ~now), select_infos(others, now))


def _append(seen: list[list[Any]] | None, more: list[list[Any]] | None) -> list[list[Any]] | None:
    if seen is None or more is None:
        return None
    return [before + after for before, after in zip(seen, more, strict=True)]


def _first_success(play: Playback, step: Playback) -> np.ndarray | None:
    """Ticks played when each first reported success; None where the last info tells."""
    if play.first_success is None or step.first_success is None:
        return None
    now = np.where(step.first_success > 0, play.ticks + step.first_success, 0)
    return np.where(play.first_success > 0, play.first_success, now)
