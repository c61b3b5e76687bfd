"""What the parent of worker processes remembers of each environment's episode."""

from __future__ import annotations

from chunkenv.utils.seeding import spawn
from chunkenv.utils.types import Observation
from chunkenv.vector.workers.worker import Transition


class WorkerEpisode:
    """The episode of one environment.

    Attributes:
        observation: the last one; None before the first reset.
        over: whether the episode has ended.
    """

    def __init__(self) -> None:
        self.observation: Observation | None = None
        self.over = False
        self._decision = self._tick = 0
        self._seed: int | None = None
        self._replacements = 0

    @property
    def now(self) -> str:
        """Where the episode is, in words; decisions are counted from 0."""
        return f"in decision {self._decision} of its episode, from tick {self._tick} on"

    def follow(self, moved: Transition) -> None:
        """A reset or a step was made."""
        self.observation = moved.observation
        self.over = (moved.terminated or moved.truncated) and not moved.begins
        self._decision = 0 if moved.begins else self._decision + 1
        self._tick = 0 if moved.begins else self._tick + int(moved.info.get("ticks", 1))

    def seed_for(self, seed: int | None, replaced: bool) -> int | None:
        """The seed of a reset: a new process has no random state to go on with, so it gets one that follows."""
        if seed is not None:
            self._seed, self._replacements = seed, 0
            return seed
        if not replaced or self._seed is None:
            return None
        self._replacements += 1
        return int(spawn(self._seed, "episode", self._replacements).integers(2**31))
