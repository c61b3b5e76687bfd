"""What a vision-language-action model learns from: a dataset of manipulation, as it is seen and asked for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.vla.word_tokens import WordTokens, split_words
from chunkenv.collect import read_goals
from chunkenv.data import Dataset, SavedFrames, split_episodes
from chunkenv.manipulation.scene.goals import ARM_FEATURES
from chunkenv.manipulation.words import (
    ANSWERS,
    WORDINGS,
    most_clauses,
    predicate_names,
    read_predicates,
    say_goal,
    simple_instructions,
    vocabulary,
)
from chunkenv.training.instructed_windows import InstructedWindows, SceneQuestions
from chunkenv.utils.checks import one_of

OBSERVATIONS = ("features", "pixels", "pixels+robot")
WORDS_BETWEEN = 1
"""Two clauses have "and" or a comma between them."""


class VLAData(NamedTuple):
    """Windows to learn from and to test with, and what a model of them has to know.

    Attributes:
        windows: of most episodes.
        held_out: of the others.
        words: the vocabulary.
        arguments: of `gymnasium.make`, for an environment that shows and asks the same.
    """

    windows: InstructedWindows
    held_out: InstructedWindows
    words: WordTokens
    arguments: Facts


def read_vla_data(
    folder: Path, dataset: Dataset, family: str, observation: str, prediction_horizon: int, validation: float = 0.05
) -> VLAData:
    """A dataset with instructions in all wordings of "train", questions of all predicates, and frames, if asked for.

    Args:
        folder: where the dataset lies, and its frames.
        dataset: of the family, whose episodes had goals.
        family: one of `chunkenv.manipulation.FAMILIES`.
        observation: what the model sees beside words: "features", "pixels" or "pixels+robot".
        prediction_horizon: rows of a chunk.
        validation: the share of episodes that is held out.

    Raises:
        ArgumentError: another observation, or an invalid number.
        DataError: the episodes have no goals, or there are no frames and they are asked for.
    """
    one_of("observation", observation, OBSERVATIONS)
    goals = dataset.info.get("arguments", {}).get("goals", "tasks")
    words = words_of(family, goals)
    instructions = np.stack(
        [
            words.encode_all(say_goal(family, goal, number) for number in WORDINGS["train"])
            for goal in read_goals(dataset)
        ]
    )
    frames, view = (None, {}) if observation == "features" else _read_frames(folder)
    seen = (dataset, prediction_horizon, instructions, questions_of(family, dataset, words))
    parts = [
        InstructedWindows(*seen, _state(dataset, observation), frames, episodes)
        for episodes in split_episodes(dataset, validation)
    ]
    arguments = {"goal": "instruction", "goals": goals, "observation": observation, **view}
    return VLAData(parts[0], parts[1], words, arguments)


def words_of(family: str, goals: str) -> WordTokens:
    """The vocabulary of the grammar, for sentences as long as goals of a family can be."""
    longest = max(len(split_words(sentence)) for sentence in [*simple_instructions(family), *_questions(family)])
    return WordTokens(vocabulary(), most_clauses(family, goals) * (longest + WORDS_BETWEEN))


def questions_of(family: str, dataset: Dataset, words: WordTokens) -> SceneQuestions:
    """Whether each predicate of a family holds, for each tick."""
    no, yes = (words.number(answer) for answer in ANSWERS)
    holds = np.asarray(read_predicates(family, dataset.observations))
    return SceneQuestions(words.encode_all(_questions(family)), holds, (no, yes))


def _questions(family: str) -> list[str]:
    return [f"{name}?" for name in predicate_names(family)]


def _state(dataset: Dataset, observation: str) -> np.ndarray:
    """What is seen beside frames, float32[T, R]: everything, the robot, or nothing."""
    size = {"features": dataset.observations.shape[1], "pixels+robot": ARM_FEATURES, "pixels": 0}[observation]
    return np.asarray(dataset.observations[:, :size])


def _read_frames(folder: Path) -> tuple[np.ndarray, Facts]:
    """All frames, uint8[T + E, S, S, 3], in memory; and how they were seen, as arguments of `gymnasium.make`."""
    saved = SavedFrames(folder)
    view = {"camera": saved.about["camera"], "image_size": saved.about["size"], "geometry": saved.about["geometry"]}
    return saved.read(range(len(saved))), view
