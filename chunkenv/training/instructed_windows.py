"""Windows of demonstrations with what is seen, an instruction, and a question about what is seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chunkenv.agents.vla.insulation import VLABatch
from chunkenv.agents.vla.vla_settings import Seen
from chunkenv.data import Dataset
from chunkenv.data.windows import window_rows
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import whole_number


class SceneQuestions(NamedTuple):
    """Questions that are answered with no or yes.

    Attributes:
        words: int32[P, L], of each.
        holds: bool[T, P], which are true in each tick.
        answers: the numbers of the words no and yes.
    """

    words: np.ndarray
    holds: np.ndarray
    answers: tuple[int, int]


class InstructedWindows:
    """Chunks of some episodes, each with what was seen at its first tick and what was to be done.

    An instruction is drawn among the wordings of its episode, a question among those with the answer that is drawn: no
    and yes are equally likely, wherever there are questions of both.

    Args:
        dataset: with actions from -1 to 1.
        prediction_horizon: rows of a chunk, H.
        instructions: int32[E, V, L], V wordings of each episode's instruction.
        questions: about each tick.
        state: float32[T, R], what is seen of robot or scene; R may be 0.
        frames: uint8[T + E, S, S, 3], one for each observation, those after the last ticks among them; None without.
        episodes: the numbers of the episodes to draw from; all if None.

    Raises:
        ArgumentError: a horizon below 1, or actions out of range.
    """

    def __init__(
        self,
        dataset: Dataset,
        prediction_horizon: int,
        instructions: np.ndarray,
        questions: SceneQuestions,
        state: np.ndarray,
        frames: np.ndarray | None = None,
        episodes: np.ndarray | None = None,
    ) -> None:
        self._horizon = whole_number("prediction_horizon", prediction_horizon, at_least=1)
        largest = float(np.abs(dataset.actions).max())
        if largest > 1:
            raise ArgumentError(f"The data have an action of {largest:g}; give some with actions from -1 to 1.")
        self._actions, self._episode, self._state = dataset.actions, dataset.episode, state
        self._instructions, self._questions, self._frames = instructions, questions, frames
        self._last = dataset.episodes.start + dataset.episodes.length - 1
        chosen = np.ones(len(self._last), bool) if episodes is None else np.isin(np.arange(len(self._last)), episodes)
        self._ticks = np.flatnonzero(chosen[self._episode])

    def __len__(self) -> int:
        return len(self._ticks)

    def sample(self, rng: np.random.Generator, batch: int) -> VLABatch:
        """Windows drawn with replacement, every one equally likely.

        Args:
            rng: draws them, their wordings and their questions.
            batch: how many, B.
        """
        ticks = self._ticks[rng.integers(len(self._ticks), size=batch)]
        episodes = self._episode[ticks]
        rows, exist = window_rows(ticks, self._last[episodes], self._horizon)
        wordings = rng.integers(self._instructions.shape[1], size=batch)
        seen = Seen(self._see(ticks, episodes), self._state[ticks], self._instructions[episodes, wordings])
        asked, answers = self._ask(rng, ticks)
        return VLABatch(seen, self._actions[rows], exist.astype(np.float32), asked, answers)

    def _see(self, ticks: np.ndarray, episodes: np.ndarray) -> np.ndarray:
        """Frames [B, S, S, 3]: every episode before has one frame more than ticks."""
        if self._frames is None:
            return np.zeros((len(ticks), 0, 0, 3), np.uint8)
        return self._frames[ticks + episodes]

    def _ask(self, rng: np.random.Generator, ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A question about each tick, int32[B, L], and the word that answers it, int32[B]."""
        words, holds, answers = self._questions
        wanted = rng.integers(2, size=(len(ticks), 1)) > 0
        chosen = (rng.random((len(ticks), len(words))) + (holds[ticks] == wanted)).argmax(axis=1)
        return words[chosen], np.array(answers, np.int32)[holds[ticks, chosen].astype(int)]
