"""The engine without an environment: states as plain bytes, and many chunks played from many states in one call."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.kinetix import kernels
from chunkenv.kinetix.build import build_level, build_state
from chunkenv.kinetix.layout import COMPACT_FEATURES, LEVEL, N_ACTIONS, N_FEATURES, SCRATCH, STATE
from chunkenv.kinetix.level import load_level

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


class Simulator:
    """One level as a deterministic function of state and actions.

    It holds no state itself, so one simulator serves any number of environments and threads.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.

    Attributes:
        level: its name.
        scene: the level as plain data.

    Raises:
        ArgumentError: the level is not one of them.

    >>> simulator = Simulator("catapult")
    >>> result = simulator.rollout(simulator.initial_state(), np.zeros((3, 8, 6), np.float32))
    >>> result.distances.shape, result.ends
    ((3, 8), array([8, 8, 8]))
    """

    def __init__(self, level: str) -> None:
        self.scene = load_level(level)
        self.level = level
        self._records = build_level(self.scene)
        self._first = build_state(self.scene)
        self._tag = self._first["level"].tobytes()
        with _patience():
            _compile_once()

    def __reduce__(self) -> tuple:
        return Simulator, (self.level,)

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
        """Working memory for the kernels; each thread needs its own."""
        scratch = np.zeros(1, SCRATCH)
        kernels.place_all(self._records, self._first, scratch)
        return scratch

    def observation(self, state: np.ndarray) -> np.ndarray:
        """The symbolic observation of a state, float32[679].

        Raises:
            ArgumentError: `state` is not a state of this level.
        """
        out = np.empty(N_FEATURES, np.float32)
        kernels.observe(self._records, self.checked_state(state).copy().view(STATE), out)
        return out

    def checked_state(self, state: np.ndarray) -> np.ndarray:
        """The state, if it is one of this level.

        Raises:
            ArgumentError: it is not.
        """
        if not (isinstance(state, np.ndarray) and state.dtype == np.uint8 and state.shape == (STATE_SIZE,)):
            raise ArgumentError(f"A state is what get_state() returned, uint8[{STATE_SIZE}], not {_described(state)}.")
        if state[:_TAG_SIZE].tobytes() != self._tag:
            raise self._foreign()
        return state

    def _checked_states(self, states: np.ndarray) -> np.ndarray:
        """States as contiguous uint8[N, n], if they are states of this level."""
        good = isinstance(states, np.ndarray) and states.dtype == np.uint8 and states.ndim == 2
        if not (good and states.shape[1] == STATE_SIZE):
            raise ArgumentError(f"States are uint8[N, {STATE_SIZE}] or uint8[{STATE_SIZE}], not {_described(states)}.")
        if (states[:, :_TAG_SIZE] != np.frombuffer(self._tag, np.uint8)).any():
            raise self._foreign()
        return states

    def _foreign(self) -> ArgumentError:
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
        chunks = _checked_chunks(chunks)
        played = self._copies(states, len(chunks))
        n, horizon = chunks.shape[:2]
        rewards, distances = np.empty((2, n, horizon), np.float32)
        ends = np.empty(n, np.int64)
        seen = np.empty((n, horizon, N_FEATURES if observations else 0), np.float32)
        kernels.rollout(
            self._records, played.reshape(-1).view(STATE), self.new_scratch(), chunks, rewards, distances, ends, seen
        )
        return Rollout(rewards, ends, distances, played, seen if observations else None)

    def _copies(self, states: np.ndarray, n: int) -> np.ndarray:
        """A state of its own for each of n chunks."""
        if isinstance(states, np.ndarray) and states.ndim == 1:
            return np.repeat(self.checked_state(states)[None], n, axis=0)
        states = self._checked_states(states)
        if len(states) != n:
            raise ArgumentError(f"{len(states)} states do not fit {n} chunks: give one state, or one for each chunk.")
        return np.array(states, order="C")


def _checked_chunks(chunks: np.ndarray) -> np.ndarray:
    array = float32_array(chunks, (None, None, N_ACTIONS))
    if array is None:
        raise ArgumentError(f"Chunks are float32[N, H, {N_ACTIONS}], not {_described(chunks)}.")
    if not np.isfinite(array).all():
        raise ArgumentError("The chunks hold NaN or infinite actions: every action must be finite.")
    return array


def float32_array(value: object, shape: tuple[int | None, ...]) -> np.ndarray | None:
    """Numbers of a shape (None: any length) as float32, infinite where too large; None if they are not that.

    The array is contiguous and writeable: for any other kind numba would compile the kernels once more.

    >>> float32_array([1, 2.5], (2,))
    array([1. , 2.5], dtype=float32)
    >>> float32_array([1, 2.5], (3,)) is None
    True
    """
    try:
        array = np.asarray(value)
    except ValueError:  # ragged lists
        return None
    fits = array.ndim == len(shape) and all(wanted in (None, n) for wanted, n in zip(shape, array.shape, strict=True))
    if array.dtype.kind not in "fiu" or not fits:
        return None
    with np.errstate(over="ignore"):
        return np.require(array, np.float32, ["C", "A", "W"])


def _described(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    return f"a {type(value).__name__}"


@cache
def _compile_once() -> None:
    """Compile every kernel, or load it from the cache, so that no later step waits for it."""
    level, states, scratch = np.zeros(1, LEVEL), np.zeros(1, STATE), np.zeros(1, SCRATCH)
    chunks, numbers, unseen = (
        np.zeros((1, 1, N_ACTIONS), np.float32),
        np.empty((1, 1), np.float32),
        np.empty(0, np.float32),
    )
    kernels.place_all(level, states, scratch)
    kernels.observe(level, states, unseen)
    kernels.step(level, states, scratch, chunks[0, 0], unseen)
    kernels.rollout(level, states, scratch, chunks, numbers, numbers, np.empty(1, np.int64), unseen.reshape(1, 1, 0))


@contextmanager
def _patience(seconds: float = 1.0) -> Iterator[None]:
    """Say once on a terminal what takes so long, if it does take long."""
    if not sys.stderr.isatty():
        yield
        return
    message = "chunkenv: compiling the Kinetix engine, 10 to 20 seconds; later runs load it from numba's cache."
    timer = threading.Timer(seconds, print, args=(message,), kwargs={"file": sys.stderr})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
