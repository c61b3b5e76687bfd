"""Observations with words and frames as vectors of one length, which is all that flows and strategies know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.vla.vla_settings import CHANNELS, VLASizes
from chunkenv.agents.vla.word_tokens import WordTokens
from chunkenv.errors import ArgumentError, brief

STATES = ("robot", "observation")
"""Where the state stands in an observation; the first that is there."""
Observed: TypeAlias = Mapping[str, object] | Array
"""A dict of "pixels" if the model sees any, the state, and "instruction"; or what `ObservationReader` returned."""


class ObservationReader:
    """Reads observations, single or in batches.

    Args:
        sizes: of what the model sees.
        words: what it reads sentences with.
    """

    def __init__(self, sizes: VLASizes, words: WordTokens) -> None:
        self._sizes, self._words = sizes, words
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, observations: Observed, count: tuple[int, ...]) -> np.ndarray:
        """Observations as float32[*count, numbers]: pixels, state, numbers of words.

        Args:
            observations: one, or many; those that were read before stay as they are.
            count: () for one, (N,) for N.

        Raises:
            ArgumentError: a part is missing or of another size, or a word is not in the vocabulary.
        """
        if not isinstance(observations, Mapping):
            return self._expect("vector", observations, (*count, self._sizes.numbers))
        sizes, flat = self._sizes, (*count, -1)
        parts = [self._read_words(observations, count)]
        if sizes.state:
            state = next((observations[name] for name in STATES if name in observations), None)
            parts.insert(0, self._expect("robot state", state, (*count, sizes.state)))
        if sizes.image:
            shape = (*count, sizes.image, sizes.image, CHANNELS)
            parts.insert(0, self._expect("pixels", observations.get("pixels"), shape).reshape(flat))
        return np.concatenate(parts, axis=-1)

    def _read_words(self, observations: Mapping[str, object], count: tuple[int, ...]) -> np.ndarray:
        if "instruction" not in observations:
            raise ArgumentError(
                f"The observation has {', '.join(map(repr, observations))} and no 'instruction'; make the environment "
                "with goal='instruction'."
            )
        sentences = np.asarray(observations["instruction"]).reshape(count).ravel()
        return np.stack([self._numbers(str(each)) for each in sentences]).reshape(*count, -1).astype(np.float32)

    def _numbers(self, sentence: str) -> np.ndarray:
        """The numbers of a sentence, which stays the same for a whole episode."""
        if sentence not in self._known:
            self._known[sentence] = self._words.encode(sentence)
        return self._known[sentence]

    def _expect(self, name: str, value: object, shape: tuple[int, ...]) -> np.ndarray:
        array = np.asarray(value)
        if array.shape != shape or array.dtype.kind not in "fiu":
            found = brief(value) if array.dtype.kind == "O" else f"{array.dtype}{list(array.shape)}"
            raise ArgumentError(
                f"The observation's {name} is {found}, but the model sees numbers {list(shape)}; make the environment "
                "as its data were made: observation, image_size and family."
            )
        return array.astype(np.float32, copy=False)
