"""Sentences of a closed vocabulary as numbers, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chunkenv.errors import ArgumentError, suggest
from chunkenv.utils.checks import whole_number

NOTHING = ""
"""What fills up a sentence; its number is 0."""
SIGNS = (*"0123456789", ".", ",", "?")
"""Numbers are said digit by digit, so that the vocabulary stays closed."""


@dataclass(frozen=True)
class WordTokens:
    """A vocabulary, and the length that every sentence is filled up to.

    Args:
        words: of small letters; signs and digits are known anyway.
        length: words, signs and digits of the longest sentence, L.

    Raises:
        ArgumentError: a length below 1, or a word that is none.

    >>> tokens = WordTokens(("ahead", "cm", "move", "the", "cube"), length=8)
    >>> tokens.encode("Move the cube 3.5 cm.").tolist()
    [16, 17, 18, 4, 11, 6, 15, 11]
    >>> tokens.decode(tokens.encode("Move the cube 3.5 cm."))
    'Move the cube 3.5 cm.'
    """

    words: tuple[str, ...]
    length: int

    def __post_init__(self) -> None:
        whole_number("length", self.length, at_least=1)
        for word in self.words:
            if not re.fullmatch("[a-z]+", word):
                raise ArgumentError(f"words has {word!r}, which is no word of small letters a to z; leave it out.")

    @property
    def size(self) -> int:
        """How many numbers there are: nothing, the signs, and the words."""
        return 1 + len(SIGNS) + len(self.words)

    def number(self, word: str) -> int:
        """The number of a word or a sign.

        Raises:
            ArgumentError: it is not in the vocabulary.
        """
        if word not in self._numbers:
            raise ArgumentError(f"The word {word!r} is not in the vocabulary; {suggest(word, self.words)}")
        return self._numbers[word]

    def encode(self, sentence: str) -> np.ndarray:
        """A sentence as int32[L], zeros behind it; capitals do not count.

        Raises:
            ArgumentError: it has a word that is not in the vocabulary, or too many.
        """
        parts = split_words(sentence)
        if len(parts) > self.length:
            raise ArgumentError(
                f"The sentence {sentence!r} has {len(parts)} words and signs, but at most {self.length} can be read; "
                "say it shorter, or train with longer sentences."
            )
        found = np.zeros(self.length, np.int32)
        found[: len(parts)] = [self.number(part) for part in parts]
        return found

    def encode_all(self, sentences: Iterable[str]) -> np.ndarray:
        """Sentences as int32[N, L]; see `encode`."""
        return np.stack([self.encode(sentence) for sentence in sentences])

    def decode(self, numbers: np.ndarray) -> str:
        """The sentence of int[L], with a capital; zeros are left out.

        Raises:
            ArgumentError: a number that stands for nothing in the vocabulary.
        """
        wrong = [number for number in np.ravel(numbers).tolist() if not 0 <= number < self.size]
        if wrong:
            raise ArgumentError(f"The number {wrong[0]} is no word; give numbers from 0 to {self.size - 1}.")
        text = " ".join(self._known[number] for number in np.ravel(numbers).tolist() if number)
        text = re.sub(r" (?=[.,?])", "", text)
        text = re.sub(r"(?<=[\d.]) (?=\d)", "", text)
        return text[:1].upper() + text[1:]

    @cached_property
    def _known(self) -> tuple[str, ...]:
        return (NOTHING, *SIGNS, *self.words)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self._known)}


def split_words(sentence: str) -> list[str]:
    """Words in small letters, digits and signs, one by one.

    >>> split_words("Move it 3.5 cm, now.")
    ['move', 'it', '3', '.', '5', 'cm', ',', 'now', '.']
    """
    return re.findall(r"[^\W\d_]+|\S", sentence.lower())
