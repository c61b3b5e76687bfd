"""Experience as columns of ticks, and windows of it by index: what the Q-chunking family learns from.

A window begins with any tick t and holds the *executed* actions a_t, a_{t+1}, ..., whichever chunk each came from, so
what a critic credits is what really ran. It ends with the episode: rows beyond that were never played, and are marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from chunkenv.clock import discounted_sums
from chunkenv.data.horizons import Horizons
from chunkenv.data.windows.chunk_windows import window_rows
from chunkenv.errors import ArgumentError, brief
from chunkenv.utils.checks import whole_number

GOES_ON, TERMINATED, TRUNCATED, AFTER = range(4)
"""Marks of a row: how its tick ended; or that it has no tick, because it only holds an episode's last observation."""

COLUMNS = ("observations", "actions", "rewards", "marks")


ArrayT = TypeVar("ArrayT")


class Batch(NamedTuple, Generic[ArrayT]):
    """B windows of R rows, see `Horizons`: of NumPy arrays, or of JAX's inside a compiled function.

    Attributes:
        observations: float32[B, O], at tick t.
        actions: float32[B, R, A], executed from tick t on; zeros beyond what was played.
        known: float32[B, R], 1 for rows that were played.
        rewards: float32[B], the discounted sum over the ticks of the backup that were played.
        discounts: float32[B], what the next value is multiplied by: 0 once the task has ended.
        next_observations: float32[B, O], after those ticks.
        prefix: float32[B, d, A], what was executed from there on: decided already when the next inference begins.
        prefix_known: float32[B, d], 1 for rows that were played.
        counted: float32[B], 0 where a limit, or the newest tick, cut the window short: the rest of its actions, and
            their rewards, are unknown. (A window that the task's end cut counts.)
    """

    observations: ArrayT
    actions: ArrayT
    known: ArrayT
    rewards: ArrayT
    discounts: ArrayT
    next_observations: ArrayT
    prefix: ArrayT
    prefix_known: ArrayT
    counted: ArrayT


class Experience(Protocol):
    """What batches are drawn from: `ReplayBuffer` is one."""

    def __len__(self) -> int:
        """Ticks that a window can begin with."""
        ...

    def sample(self, rng: np.random.Generator, batch: int, horizons: Horizons) -> Any:
        """A batch of windows, a named tuple of arrays [B, ...]."""
        ...


class ReplayBuffer:
    """A ring of ticks; the oldest are overwritten when it is full.

    Each episode takes a row more than it has ticks, for its last observation, and so does the one under way: windows
    stop there, so that none ever crosses the place where the newest row meets the oldest.

    Args:
        capacity: rows, at least 2.
        observation_size: O.
        action_size: A.

    Raises:
        ArgumentError: for an invalid size.

    >>> replay = ReplayBuffer(8, observation_size=1, action_size=1)
    >>> for tick in range(3):
    ...     replay.add([tick], [0.5], -1.0, [tick + 1], terminated=tick == 2, truncated=False)
    >>> len(replay), replay.windows(np.array([1]), Horizons(chunk=3, backup=3)).known
    (3, array([[1., 1., 0.]], dtype=float32))
    """

    def __init__(self, capacity: int, observation_size: int, action_size: int) -> None:
        self.capacity = whole_number("capacity", capacity, at_least=2)
        self.observations = np.zeros((self.capacity, observation_size), np.float32)
        self.actions = np.zeros((self.capacity, action_size), np.float32)
        self.rewards = np.zeros(self.capacity, np.float32)
        self.marks = np.full(self.capacity, AFTER, np.uint8)
        self._next, self._rows, self._ticks = 0, 0, 0

    def __len__(self) -> int:
        """Ticks that a window can begin with."""
        return self._ticks

    @classmethod
    def from_episodes(
        cls,
        observations: np.ndarray,
        actions: np.ndarray,
        rewards: np.ndarray,
        terminated: np.ndarray,
        lengths: np.ndarray,
        final_observations: np.ndarray,
    ) -> ReplayBuffer:
        """Whole episodes, one behind the other, as a dataset has them: T ticks of E episodes.

        Args:
            observations: [T, O].
            actions: [T, A].
            rewards: [T].
            terminated: bool[T]; an episode whose last tick is not was truncated.
            lengths: int[E], ticks of each.
            final_observations: [E, O], after its last tick.

        Raises:
            ArgumentError: the lengths don't add up, a column has another number of rows, or a number is not finite.
        """
        ticks, episodes = len(rewards), len(lengths)
        if not episodes or np.min(lengths) < 1 or int(np.sum(lengths)) != ticks:
            raise ArgumentError(
                f"lengths={brief(lengths)} add up to {int(np.sum(lengths))}, but there are {ticks} ticks; give all "
                "episodes, each of at least one tick."
            )
        columns = {"observations": observations, "actions": actions, "rewards": rewards, "terminated": terminated}
        for name, column in (columns | {"final_observations": final_observations}).items():
            _expect_rows(name, column, episodes if name == "final_observations" else ticks)
        replay = cls(ticks + episodes, observations.shape[1], actions.shape[1])
        last = np.cumsum(lengths) - 1
        rows = np.arange(ticks) + np.repeat(np.arange(episodes), lengths)
        marks = np.where(terminated, TERMINATED, GOES_ON)
        marks[last] = np.where(np.asarray(terminated)[last], TERMINATED, TRUNCATED)
        replay.observations[rows], replay.actions[rows] = observations, actions
        replay.rewards[rows], replay.marks[rows] = rewards, marks
        replay.observations[rows[last] + 1] = final_observations
        replay._rows, replay._ticks = replay.capacity, ticks
        return replay

    def add(
        self,
        observation: Sequence[float] | np.ndarray,
        action: Sequence[float] | np.ndarray,
        reward: float,
        next_observation: Sequence[float] | np.ndarray,
        terminated: bool,
        truncated: bool,
    ) -> None:
        """Append one tick.

        Args:
            observation: [O], before it.
            action: [A], executed.
            reward: of it.
            next_observation: [O], after it.
            terminated: whether the task ended.
            truncated: whether a limit cut the episode.

        Raises:
            ArgumentError: a size is another, a number is not finite, or the observation is not the one that the last
                tick ended with.
        """
        numbers = tuple(np.asarray(each, np.float32) for each in (observation, action, next_observation))
        if not (np.isfinite(reward) and all(np.isfinite(each).all() for each in numbers)):
            raise ArgumentError(f"The tick {numbers!r} with reward={reward!r} is not finite; nothing learns from NaN.")
        sizes = (self.observations.shape[1:], self.actions.shape[1:], self.observations.shape[1:])
        if (found := tuple(each.shape for each in numbers)) != sizes:
            raise ArgumentError(f"observation, action and next_observation have shapes {found}; give {sizes}.")
        row = self._next
        if self._under_way and not np.array_equal(self.observations[row], numbers[0]):
            raise ArgumentError("An episode is under way, and this tick does not follow its last; add it to its end.")
        self._make_room(row)
        self.observations[row], self.actions[row], self.rewards[row] = numbers[0], numbers[1], reward
        self.marks[row] = TERMINATED if terminated else TRUNCATED if truncated else GOES_ON
        self._ticks += 1
        after = self._forget((row + 1) % self.capacity)
        self.observations[after] = numbers[2]
        self._next = (after + bool(terminated or truncated)) % self.capacity
        self._rows = max(self._rows, row + 1, after + 1)

    def sample(self, rng: np.random.Generator, batch: int, horizons: Horizons) -> Batch[np.ndarray]:
        """Draw windows with replacement; every tick is equally likely to begin one.

        Raises:
            ArgumentError: there is none yet.
        """
        return self.windows(self.draw_starts(rng, batch), horizons)

    def draw_starts(self, rng: np.random.Generator, batch: int) -> np.ndarray:
        """Rows that windows can begin with, int[B], drawn with replacement; every tick is equally likely.

        Raises:
            ArgumentError: there is none yet.
        """
        if not self._ticks:
            raise ArgumentError("The replay is empty; add ticks before windows are drawn.")
        starts = rng.integers(self._rows, size=batch)
        while len(bad := np.flatnonzero(self.marks[starts] == AFTER)):
            starts[bad] = rng.integers(self._rows, size=len(bad))
        return starts

    def observations_after(self, starts: np.ndarray, ticks: np.ndarray) -> np.ndarray:
        """The observations so many ticks after these rows, [B, O]; they must not lie beyond an episode's end."""
        return self.observations[self._place(starts + ticks)]

    def windows(self, starts: np.ndarray, horizons: Horizons) -> Batch[np.ndarray]:
        """The windows that begin with these rows, int[B], each of which has a tick."""
        played = self._played(starts, horizons.rows)
        last = starts + played - 1
        rows, known = window_rows(starts, last, horizons.rows)
        ended = self.marks[self._place(last)] == TERMINATED
        ticks = np.where(ended, np.minimum(played, horizons.backup), horizons.ticks_of(played))
        over = ended & (played <= horizons.backup)
        prefix, prefix_known = window_rows(starts + ticks, last, horizons.delay)
        return Batch(
            observations=self.observations[starts],
            actions=self._actions_of(rows, known),
            known=known.astype(np.float32),
            rewards=self._returns(rows, ticks, horizons),
            discounts=horizons.discounts(ticks, over),
            next_observations=self.observations_after(starts, ticks),
            prefix=self._actions_of(prefix, prefix_known),
            prefix_known=prefix_known.astype(np.float32),
            counted=(ended | (ticks >= horizons.backup)).astype(np.float32),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything, for a file: `restore` makes the same buffer of it."""
        place = np.array([self._next, self._rows, self._ticks], np.int64)
        return {name: getattr(self, name)[: self._rows] for name in COLUMNS} | {"place": place}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Become the buffer that `arrays` describes, to the bit; the capacity must be the same."""
        self._next, self._rows, self._ticks = (int(number) for number in arrays["place"])
        for name in COLUMNS:
            getattr(self, name)[: self._rows] = arrays[name]

    @property
    def _under_way(self) -> bool:
        return self._rows > 0 and self.marks[self._next - 1] == GOES_ON and self._next < self._rows

    def _place(self, rows: np.ndarray) -> np.ndarray:
        """Where rows lie in the ring."""
        return rows % self.capacity

    def _played(self, starts: np.ndarray, count: int) -> np.ndarray:
        """How many of `count` ticks from `starts` on were played, int[B]: until the episode or the newest tick."""
        marks = self.marks[self._place(starts[:, None] + np.arange(count))]
        stops = np.ones(marks.shape, bool)
        stops[:, :-1] = (marks[:, :-1] != GOES_ON) | (marks[:, 1:] == AFTER)
        return stops.argmax(axis=1) + 1

    def _actions_of(self, rows: np.ndarray, known: np.ndarray) -> np.ndarray:
        return self.actions[self._place(rows)] * known[..., None]

    def _returns(self, rows: np.ndarray, ticks: np.ndarray, horizons: Horizons) -> np.ndarray:
        rewards = self.rewards[self._place(rows[:, : horizons.backup])]
        return discounted_sums(rewards, ticks, horizons.discount).astype(np.float32)

    def _make_room(self, row: int) -> None:
        """Forget the tick that a row holds."""
        self._ticks -= int(self.marks[row] != AFTER)

    def _forget(self, row: int) -> int:
        self._make_room(row)
        self.marks[row] = AFTER
        return row


def _expect_rows(name: str, column: np.ndarray, count: int) -> None:
    if len(column) != count:
        raise ArgumentError(f"{name} has {len(column)} rows, but lengths say {count}; give one for each.")
    if not np.isfinite(column).all():
        raise ArgumentError(f"{name} hold NaN or infinity, which nothing can learn from; check the data.")


def draw_batch(
    replays: Sequence[Experience], rng: np.random.Generator, batch: int, horizons: Horizons, symmetric: bool
) -> Batch[np.ndarray]:
    """Draw windows of several replay buffers as one batch.

    Args:
        replays: where from; an empty one gives none.
        rng: draws.
        batch: how many, B.
        horizons: of the windows.
        symmetric: as many of each (the 50/50 batches of RLPD, Ball et al. 2023, arXiv 2302.02948), instead of every
            tick of all being equally likely.

    Raises:
        ArgumentError: all are empty.
    """
    nonempty = [replay for replay in replays if len(replay)] or list(replays[:1])
    if symmetric or len(nonempty) == 1:
        counts = [batch // len(nonempty) + (index < batch % len(nonempty)) for index in range(len(nonempty))]
    else:
        sizes = np.array([len(replay) for replay in nonempty], np.float64)
        counts = rng.multinomial(batch, sizes / sizes.sum()).tolist()
    parts = [replay.sample(rng, count, horizons) for replay, count in zip(nonempty, counts, strict=True)]
    return parts[0] if len(parts) == 1 else Batch(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
