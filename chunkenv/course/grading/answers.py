"""What is wrong with an answer, in one sentence, and the checks that say so of numbers and arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chunkenv.errors import ChunkenvError, brief


class WrongAnswer(ChunkenvError):
    """A test that a student's answer fails: what was asked, what came, and what is right."""


class StudentFault(ChunkenvError):
    """A student's code that gave no answer: it raised, ended, took too long, or returned what cannot be sent."""


def expect_number(what: str, answer: Any, right: float, tolerance: float = 1e-6) -> None:
    """Refuse an answer that is not the right number.

    Args:
        what: what was asked, such as "delay_in_ticks(0.05, 0.02)".
        answer: what came, of any type.
        right: the number that is right.
        tolerance: how far the answer may lie from it, relative to max(1, |right|).

    Raises:
        WrongAnswer: it is no number, not finite, or too far away.

    >>> expect_number("f(1)", 3, right=2)
    Traceback (most recent call last):
    chunkenv.course.grading.answers.WrongAnswer: f(1) is 2; your answer is 3.
    """
    plain = answer.item() if isinstance(answer, np.ndarray) and answer.size == 1 else answer
    is_number = isinstance(plain, int | float) and not isinstance(plain, bool)
    if not is_number or not abs(plain - right) <= tolerance * max(1.0, abs(right)):
        raise WrongAnswer(f"{what} is {right:g}; your answer is {brief(answer)}.")


def expect_array(what: str, answer: Any, right: Any, tolerance: float = 1e-6) -> None:
    """Refuse an answer that is not the right array; lists of numbers count as arrays.

    Args:
        what: what was asked.
        answer: what came, of any type.
        right: the array that is right.
        tolerance: how far each number may lie from it, absolutely.

    Raises:
        WrongAnswer: it is no array of numbers, has another shape, or a number that is wrong or not finite.
    """
    right = np.asarray(right)
    found = read_array(what, answer, right.shape)
    wrong = ~(np.abs(found - right.astype(float)) <= tolerance)
    if wrong.any():
        place = tuple(int(each) for each in np.argwhere(wrong)[0])
        where = f"at index {list(place)} " if place else ""
        raise WrongAnswer(
            f"{what} is {right[place]:g} {where}; your answer has {found[place]:g} there.".replace(" ;", ";")
        )


def read_array(what: str, answer: Any, shape: Sequence[int]) -> np.ndarray:
    """An answer as float64 of a given shape.

    Args:
        what: what was asked.
        answer: what came, of any type.
        shape: the one that is right.

    Raises:
        WrongAnswer: it is no array of numbers, has another shape, or is not finite.
    """
    try:
        found = np.asarray(answer) if isinstance(answer, np.ndarray | list | int | float) else None
    except ValueError:  # rows of different lengths
        found = None
    if found is None or found.dtype.kind not in "biuf":  # texts such as "1.5" are no numbers
        raise WrongAnswer(f"{what} is an array of shape {tuple(shape)}; your answer is {brief(answer)}.")
    if found.shape != tuple(shape):
        raise WrongAnswer(f"{what} has shape {tuple(shape)}; your answer has shape {found.shape}.")
    if not np.isfinite(found).all():
        raise WrongAnswer(f"{what} is finite everywhere; your answer has NaN or infinite numbers.")
    return found.astype(float)


def expect_same(what: str, answer: Any, right: Any) -> None:
    """Refuse an answer that is not exactly the right value: a text, a bool, whole numbers, or lists of them.

    Raises:
        WrongAnswer: it is another.

    >>> expect_same("rows(3)", [0, 1], [0, 1])
    """
    plain = answer.tolist() if isinstance(answer, np.ndarray) else answer
    if plain != right or isinstance(plain, bool) != isinstance(right, bool):
        raise WrongAnswer(f"{what} is {brief(right)}; your answer is {brief(answer)}.")
