"""What every engine of a level does alike: states as plain bytes, checked, and many chunks played in one call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.kinetix.engine.build import build_level, build_state
from chunkenv.kinetix.engine.kernels import BAD_ACTION, OVER, Tick
from chunkenv.kinetix.engine.layout import COMPACT_FEATURES, N_ACTIONS, N_FEATURES, SCRATCH, STATE
from chunkenv.kinetix.level import load_level
from chunkenv.utils.batching import float32_array
from chunkenv.utils.checks import one_of, whole_number

STATE_SIZE = STATE.itemsize
"""Bytes of a state."""

_TAG_SIZE = STATE["level"].itemsize  # a state begins with what tells its level


class Rollout(NamedTuple):
    """What N chunks of H actions led to.

    Attributes:
        rewards: float32[N, H], the sparse reward of each tick: 1 green touched blue, -1 green touched red, else 0.
        ends: int64[N], the index of the tick with which the episode terminated; H if it did not, -1 if it had before.
        distances: float32[N, H], the distance between the centres of green and blue after each tick, in m.
        states: uint8[N, n], the state after each chunk.
        observations: float32[N, H, 679], the symbolic observation after each tick, or None.
    """

    rewards: np.ndarray
    ends: np.ndarray
    distances: np.ndarray
    states: np.ndarray
    observations: np.ndarray | None


class PlayedChunks(NamedTuple):
    """What N chunks of up to T actions led to, whose states were advanced in place.

    Attributes:
        ends: int64[N], the index of the tick with which the episode terminated; the number of ticks that it was to
            play if it did not, -1 if it had before.
        rewards: float32[N, T], the sparse reward of each tick, 0 where none was played.
        distances: float32[N, T], the distance between the centres of green and blue after each tick, in m; held where
            none was played.
        observations: float32[N, size], after the last tick played, or None.
    """

    ends: np.ndarray
    rewards: np.ndarray
    distances: np.ndarray
    observations: np.ndarray | None


class LevelSimulator(ABC):
    """One level as a deterministic function of state and actions, in the engine that a subclass runs.

    It holds no state itself, so one simulator serves any number of environments and threads.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.

    Attributes:
        level: its name.
        scene: the level as plain data.

    Raises:
        ArgumentError: the level is not one of them.
    """

    def __init__(self, level: str) -> None:
        self.scene = load_level(level)
        self.level = level
        self._records = build_level(self.scene)
        self._first = build_state(self.scene)
        self._tag = self._first["level"].tobytes()
        self._sizes = {"symbolic": N_FEATURES, "compact": self.compact_size}

    def __reduce__(self) -> tuple[type[LevelSimulator], tuple[str]]:
        return type(self), (self.level,)

    @abstractmethod
    def step(self, state: np.ndarray, scratch: np.ndarray, action: np.ndarray, observation: np.ndarray) -> Tick:
        """Play one tick of one environment in place and observe it, or leave the state as it is and say why not.

        Nothing is checked: `KinetixEnv` calls it with memory of its own.

        Args:
            state: `STATE[1]`.
            scratch: what `new_scratch` returned.
            action: float32[6].
            observation: float32[n] to be filled; its length says which observation (0: none).
        """

    @abstractmethod
    def observe(self, state: np.ndarray, observation: np.ndarray) -> None:
        """Fill the observation of a state, `STATE[1]`, as `step` does."""

    @abstractmethod
    def _play(
        self,
        states: np.ndarray,
        actions: np.ndarray,
        ticks: np.ndarray,
        each: np.ndarray,
        last: np.ndarray,
        threads: int,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance the states and fill what is to be observed after each tick and after the last.

        Returns:
            Ends, rewards and distances, as `PlayedChunks` has them.
        """

    @property
    def records(self) -> np.ndarray:
        """The level's constants, as the kernels take them."""
        return self._records

    @property
    def compact_size(self) -> int:
        """Length of the compact observation: seven features for each body that moves."""
        return COMPACT_FEATURES * int(self._records["n_moving"][0])

    def initial_state(self) -> np.ndarray:
        """The state in which every episode starts, uint8[n]."""
        return self._first.view(np.uint8).copy()

    def new_scratch(self) -> np.ndarray:
        """Working memory for `step`; each thread needs its own."""
        return np.zeros(1, SCRATCH)

    def observation(self, state: np.ndarray) -> np.ndarray:
        """The symbolic observation of a state, float32[679].

        Raises:
            ArgumentError: `state` is not a state of this level.
        """
        out = np.empty(N_FEATURES, np.float32)
        self.observe(self.check_state(state).copy().view(STATE), out)
        return out

    def check_state(self, state: np.ndarray) -> np.ndarray:
        """The state, if it is one of this level.

        Raises:
            ArgumentError: it is not.
        """
        if not (isinstance(state, np.ndarray) and state.dtype == np.uint8 and state.shape == (STATE_SIZE,)):
            raise ArgumentError(f"A state is what get_state() returned, uint8[{STATE_SIZE}], not {_describe(state)}.")
        if state[:_TAG_SIZE].tobytes() != self._tag:
            raise self._foreign_state()
        return state

    def _check_states(self, states: np.ndarray) -> np.ndarray:
        """States as contiguous uint8[N, n], if they are states of this level."""
        good = isinstance(states, np.ndarray) and states.dtype == np.uint8 and states.ndim == 2
        if not (good and states.shape[1] == STATE_SIZE):
            raise ArgumentError(f"States are uint8[N, {STATE_SIZE}] or uint8[{STATE_SIZE}], not {_describe(states)}.")
        if (states[:, :_TAG_SIZE] != np.frombuffer(self._tag, np.uint8)).any():
            raise self._foreign_state()
        return states

    def _foreign_state(self) -> ArgumentError:
        return ArgumentError(f"This is not a state of level {self.level!r}: take it from an environment of that level.")

    def rollout(self, states: np.ndarray, chunks: np.ndarray, *, observations: bool = False) -> Rollout:
        """Play N chunks, each from its own state or all from one; the given states are left as they are.

        Ticks after an end do not advance: reward 0, distance held.

        Args:
            states: uint8[n], one state, or uint8[N, n], one for each chunk.
            chunks: float[N, H, 6], finite; out-of-range actions are clipped by the physics.
            observations: whether to return the symbolic observation after each tick.

        Raises:
            ArgumentError: a shape or a type is wrong, an action is not finite, or a state is of another level.
        """
        chunks = _read_chunks(chunks, ArgumentError)
        _check_finite(chunks, ArgumentError)
        played = self._copy_states(states, len(chunks))
        n, horizon = chunks.shape[:2]
        each = np.empty((n, horizon, N_FEATURES if observations else 0), np.float32)
        last = np.empty((n, 0), np.float32)
        ends, rewards, distances = self._play(played, chunks, np.full(n, horizon, np.int64), each, last, 1)
        return Rollout(rewards, ends, distances, played, each if observations else None)

    def play(
        self,
        states: np.ndarray,
        actions: np.ndarray,
        ticks: np.ndarray,
        *,
        observation: str | None = None,
        threads: int = 1,
    ) -> PlayedChunks:
        """Advance N states in place, each by its own number of ticks; an episode that ends stays at its end.

        What comes out does not depend on `threads`, nor on what else is in the batch.

        Args:
            states: uint8[N, n], contiguous and writeable; those of episodes that had ended are left as they are.
            actions: float[N, T, 6]; the first ticks[i] rows of each i are played and must be finite.
            ticks: int[N], each from 0 to T.
            observation: "symbolic" (float32[679]), "compact" (float32[compact_size]) or None: what to observe after
                the last tick.
            threads: at most how many to use; see `usable_cores`.

        Raises:
            ActionError: the actions have another shape or type, or one that would be played is not finite.
            ArgumentError: anything else is wrong. In either case no state has changed.

        >>> from chunkenv.kinetix import Simulator
        >>> simulator = Simulator("catapult")
        >>> states = np.tile(simulator.initial_state(), (3, 1))
        >>> simulator.play(states, np.zeros((3, 8, 6), np.float32), np.array([8, 2, 0])).ends
        array([8, 2, 0])
        """
        actions = _read_chunks(actions, ActionError)
        ticks = _read_ticks(ticks, *actions.shape[:2])
        _check_finite(actions, ActionError, ticks)
        self._check_writeable(states, len(actions))
        if observation is not None:
            one_of("observation", observation, tuple(self._sizes))
        whole_number("threads", threads, at_least=1)
        return self.play_unchecked(states, actions, ticks, observation, threads)

    def play_unchecked(
        self, states: np.ndarray, actions: np.ndarray, ticks: np.ndarray, observation: str | None, threads: int
    ) -> PlayedChunks:
        """What `play` does for a caller that has sound arguments: its checks cost as much as tens of ticks.

        Args:
            states: as `play` has them.
            actions: as `play` has them, but float32, contiguous and writeable.
            ticks: int64[N], contiguous and writeable, each from 0 to T.
            observation: as `play` has it.
            threads: as `play` has it.
        """
        size = 0 if observation is None else self._sizes[observation]
        last = np.empty((len(actions), size), np.float32)
        each = np.empty((*actions.shape[:2], 0), np.float32)
        return PlayedChunks(*self._play(states, actions, ticks, each, last, threads), last if size else None)

    def _check_writeable(self, states: np.ndarray, n: int) -> None:
        """Raise unless these are n states of this level that can be advanced where they are."""
        states = self._check_states(states)
        if len(states) != n:
            raise ArgumentError(f"{len(states)} states do not fit {n} chunks: give one state for each.")
        if not (states.flags.c_contiguous and states.flags.writeable):
            raise ArgumentError("The states are advanced in place, but these are read-only or strided: give a copy.")

    def _copy_states(self, states: np.ndarray, n: int) -> np.ndarray:
        """A state of its own for each of n chunks."""
        if isinstance(states, np.ndarray) and states.ndim == 1:
            return np.repeat(self.check_state(states)[None], n, axis=0)
        states = self._check_states(states)
        if len(states) != n:
            raise ArgumentError(f"{len(states)} states do not fit {n} chunks: give one state, or one for each chunk.")
        return np.array(states, order="C")


def refuse_tick(state: np.ndarray, action: np.ndarray) -> Tick | None:
    """What `step` reports where it plays nothing: the episode is over, or the action is not finite; else None."""
    ticks = int(state["ticks"][0])
    if state["ended"][0]:
        return Tick(OVER, 0, 0.0, 0.0, ticks, True)
    if not np.isfinite(action).all():
        return Tick(BAD_ACTION, 0, 0.0, 0.0, ticks, False)
    return None


def _read_chunks(chunks: np.ndarray, error: type[Exception]) -> np.ndarray:
    array = float32_array(chunks, (None, None, N_ACTIONS))
    if array is None:
        raise error(f"Chunks are float32[N, H, {N_ACTIONS}], not {_describe(chunks)}.")
    return array


def _check_finite(chunks: np.ndarray, error: type[Exception], ticks: np.ndarray | None = None) -> None:
    """Raise if an action that is to be played (the first `ticks` of each chunk, or all) is NaN or infinite."""
    if np.isfinite(chunks).all():
        return
    bad = ~np.isfinite(chunks).all(axis=2)
    if ticks is not None:
        bad &= np.arange(chunks.shape[1]) < ticks[:, None]
    if bad.any():
        n, t = np.argwhere(bad)[0]
        raise error(
            f"The chunks hold NaN or infinite actions, first in row {t} of chunk {n}: every one must be finite."
        )


def _read_ticks(ticks: np.ndarray, n: int, horizon: int) -> np.ndarray:
    array = np.asarray(ticks)
    if array.shape != (n,) or array.dtype.kind not in "iu":
        raise ArgumentError(f"The ticks to play are int64[{n}], one number for each chunk, not {brief(ticks)}.")
    if ((array < 0) | (array > horizon)).any():
        raise ArgumentError(
            f"Each chunk has {horizon} actions, so the ticks to play are 0 to {horizon}: {brief(ticks)}."
        )
    return np.require(array, np.int64, ["C", "A", "W"])


def _describe(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    return f"a {type(value).__name__}"
