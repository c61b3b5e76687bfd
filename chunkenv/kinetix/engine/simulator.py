"""Our own engine without an environment: compiled by numba, in threads of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

from chunkenv.kinetix.engine import batch_kernels as batch
from chunkenv.kinetix.engine import kernels
from chunkenv.kinetix.engine.layout import BATCH, GROUP, GROUP_STATE, LEVEL, N_ACTIONS, SCRATCH, STATE
from chunkenv.kinetix.engine.level_simulator import LevelSimulator
from chunkenv.kinetix.engine.simd import group_memory
from chunkenv.utils.threads import side_by_side


class Simulator(LevelSimulator):
    """One level in our own engine: see `LevelSimulator`.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.

    Raises:
        ArgumentError: the level is not one of them.

    >>> simulator = Simulator("catapult")
    >>> result = simulator.rollout(simulator.initial_state(), np.zeros((3, 8, 6), np.float32))
    >>> result.distances.shape, result.ends
    ((3, 8), array([8, 8, 8]))
    """

    def __init__(self, level: str) -> None:
        super().__init__(level)
        self._of_thread = threading.local()  # what a thread works with: placed once, and never shared
        _compile_single()

    def new_scratch(self) -> np.ndarray:
        """Working memory for the kernels; each thread needs its own."""
        scratch = super().new_scratch()
        kernels.place_all(self._records, self._first, scratch)
        return scratch

    def step(self, state: np.ndarray, scratch: np.ndarray, action: np.ndarray, observation: np.ndarray) -> kernels.Tick:
        """Play one tick: see `LevelSimulator.step`."""
        return kernels.step(self._records, state, scratch, action, observation)

    def observe(self, state: np.ndarray, observation: np.ndarray) -> None:
        """Fill the observation of a state, `STATE[1]`, as `step` does."""
        kernels.observe(self._records, state, observation)

    def _play(
        self,
        states: np.ndarray,
        actions: np.ndarray,
        ticks: np.ndarray,
        each: np.ndarray,
        last: np.ndarray,
        threads: int,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        _compile_batch()
        n, horizon = actions.shape[:2]
        rewards, distances = np.empty((2, n, horizon), np.float32)
        ends = np.empty(n, np.int64)
        records = states.reshape(-1).view(STATE)
        arrays = (records, actions, ticks, rewards, distances, ends, each, last)

        def play_slice(start: int, end: int) -> None:
            self._play_slice(*(array[start:end] for array in arrays))

        side_by_side(play_slice, n, threads, GROUP)
        return ends, rewards, distances

    def _play_slice(self, *arrays: np.ndarray) -> None:
        own = self._of_thread
        if not hasattr(own, "memory"):
            own.memory = np.zeros(1, BATCH), group_memory(GROUP_STATE)
        batch.play(self._records, self._first, *own.memory, *arrays)


@contextmanager
def _announce_delay(seconds: float = 1.0) -> Iterator[None]:
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


@cache
@_announce_delay()
def _compile_single() -> None:
    """Compile the kernels for one environment, or load them from the cache, so that no later step waits for it."""
    level, states, scratch = np.zeros(1, LEVEL), np.zeros(1, STATE), np.zeros(1, SCRATCH)
    nothing = np.empty(0, np.float32)
    kernels.place_all(level, states, scratch)
    kernels.observe(level, states, nothing)
    kernels.step(level, states, scratch, np.zeros(N_ACTIONS, np.float32), nothing)


@cache
@_announce_delay()
def _compile_batch() -> None:
    """Compile the kernel for many environments, which takes longest, when it is first needed."""
    level, states, numbers = np.zeros(1, LEVEL), np.zeros(1, STATE), np.zeros((1, 0), np.float32)
    own = (states, np.zeros((1, 0, N_ACTIONS), np.float32), np.zeros(1, np.int64), numbers, numbers)
    outcome = (np.zeros(1, np.int64), numbers[:, :, None], numbers)
    batch.play(level, states, np.zeros(1, BATCH), group_memory(GROUP_STATE), *own, *outcome)
