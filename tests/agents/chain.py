"""A chain of states whose chunk values are known: dynamic programming over all chunks, for any horizons."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ReplayBuffer, draw_batch

STATES = 4
COST, PRIZE = -0.1, 1.0
SIGNS = (-1.0, 1.0)

Rows = tuple[float, ...]
Choose = Callable[[list[float]], float]


def step(state: int, action: float) -> tuple[int, float, bool]:
    """One tick to the left or the right; reaching the state beyond the last ends the task."""
    state = max(state - 1, 0) if action <= 0 else state + 1
    return state, (PRIZE if state == STATES else COST), state == STATES


def seen(state: int) -> np.ndarray:
    return np.eye(STATES + 1, dtype=np.float32)[state]


def experience(ticks: int, seed: int = 0, cut: float = 0.1) -> ReplayBuffer:
    """Episodes of a player who goes left and right at random, cut by a limit now and then."""
    rng = np.random.default_rng(seed)
    replay = ReplayBuffer(2 * ticks, STATES + 1, 1)
    while len(replay) < ticks:
        state, terminated, truncated = int(rng.integers(STATES)), False, False
        while not (terminated or truncated):
            action = SIGNS[rng.integers(2)] * rng.uniform(0.2, 1.0)
            after, reward, terminated = step(state, action)
            truncated = not terminated and rng.random() < cut
            replay.add(seen(state), [action], reward, seen(after), terminated, truncated)
            state = after
    return replay


def outcome(state: int, rows: Rows, horizons: Horizons) -> tuple[float, tuple[int, Rows] | None]:
    """The discounted reward of a backup, and the state and prefix that it leads to; None if the task ends."""
    total = 0.0
    for tick in range(horizons.backup):
        state, reward, terminated = step(state, rows[tick])
        total += horizons.discount**tick * reward
        if terminated:
            return total, None
    return total, (state, rows[horizons.backup :])


def chunk_values(horizons: Horizons, choose: Choose = max) -> dict[tuple[int, Rows], float]:
    """The fixed point of the critic: what it sees of a window stands for all windows that look the same to it.

    `choose` gives the value of a state out of those of the chunks that can be decided there.
    """
    start, stop = horizons.seen.start, horizons.seen.stop
    windows = [*itertools.product(range(STATES), itertools.product(SIGNS, repeat=horizons.rows))]
    outcomes = {(state, rows): outcome(state, rows, horizons) for state, rows in windows}
    table = {(state, rows[start:stop]): 0.0 for state, rows in windows}
    for _ in range(200):
        states = by_state(table, horizons, choose)
        found: dict[tuple[int, Rows], list[float]] = {place: [] for place in table}
        for (state, rows), (reward, following) in outcomes.items():
            later = 0.0 if following is None else states[state_of(following, horizons)]
            found[state, rows[start:stop]].append(reward + horizons.discount**horizons.backup * later)
        table = {place: float(np.mean(targets)) for place, targets in found.items()}
    return table


def best_of(samples: int) -> Choose:
    """The expected best of so many chunks drawn evenly, with replacement."""

    def choose(values: list[float]) -> float:
        share = (np.arange(len(values) + 1) / len(values)) ** samples
        return float(np.sort(values) @ np.diff(share))

    return choose


def by_state(table: dict[tuple[int, Rows], float], horizons: Horizons, choose: Choose) -> dict[Any, float]:
    decided: dict[Any, list[float]] = {}
    prefix = horizons.delay if horizons.prefix else 0
    for (state, rows), value in table.items():
        decided.setdefault((state, rows[:prefix]), []).append(value)
    return {place: choose(found) for place, found in decided.items()}


def state_of(following: tuple[int, Rows], horizons: Horizons) -> tuple[int, Rows]:
    return following if horizons.prefix else (following[0], ())


def places(table: dict[tuple[int, Rows], float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations [M, O], rows [M, R, 1] and values [M]."""
    observations = np.stack([seen(state) for state, _ in table])
    rows = 0.6 * np.array([rows for _, rows in table], np.float32)[..., None]
    return observations, rows, np.array([*table.values()])


def learn(agent: Any, replays: list[Any], updates: int, seed: int = 1, change: Any = lambda batch: batch) -> Any:
    """The agent after so many updates, a hundred in one compiled call."""
    rng, settings = np.random.default_rng(seed), agent.settings
    for _ in range(updates // 100):
        drawn = change(draw_batch(replays, rng, 100 * settings.batch, settings.horizons, symmetric=False))
        batches = type(drawn)(*(column.reshape(100, settings.batch, *column.shape[1:]) for column in drawn))
        agent = _updated(agent, jax.tree.map(jnp.asarray, batches))
    return agent


@jax.jit
def _updated(agent: Any, batches: Any) -> Any:
    return jax.lax.scan(lambda agent, batch: agent.update(batch), agent, batches)[0]
