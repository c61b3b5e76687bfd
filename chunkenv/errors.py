"""Every error and warning of chunkenv: one clear sentence that quotes the value, says what is right, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import gymnasium.error


class ChunkenvError(Exception):
    """What every error of this package inherits."""


class ArgumentError(ChunkenvError, ValueError):
    """An invalid constructor argument or option."""


class UnwritableError(ArgumentError, OSError):
    """A file that cannot be written: the disk is full, or the folder is not ours. What was there before stays."""


class ActionError(ChunkenvError, ValueError):
    """An action or a chunk that cannot be executed: wrong shape or dtype, out of a discrete range, NaN or infinite."""


class ResetNeededError(ChunkenvError, gymnasium.error.ResetNeeded):
    """A step before the first reset, or after the end of an episode."""


class EnvironmentFault(ChunkenvError, RuntimeError):
    """A wrapped environment that broke its contract: a reward that is not a number, say."""


class PolicyFault(ChunkenvError, RuntimeError):
    """A policy that raised, gave no answer in time, or returned what cannot be executed.

    Args:
        message: the sentence.
        tick: of the request that it was to answer; None if unknown.
    """

    def __init__(self, message: str, tick: int | None = None) -> None:
        super().__init__(message)
        self.tick = tick


class MissingExtraError(ChunkenvError, ImportError):
    """An optional dependency that is not installed."""


class StaleChunkWarning(UserWarning):
    """A latency model makes it likely that whole chunks arrive after their last row's tick."""


class UnderrunWarning(UserWarning):
    """The horizons and the latency leave every decision ticks without a row."""


def reset_needed(action: str) -> ResetNeededError:
    """The error of a wrapper without a running episode that is asked for an action.

    >>> str(reset_needed("step"))
    'cannot step: the episode has not begun or is over; call reset() first.'
    """
    return ResetNeededError(f"cannot {action}: the episode has not begun or is over; call reset() first.")


def suggest(name: object, known: Iterable[str], otherwise: str = "") -> str:
    """The end of an error sentence about an unknown name: the nearest known one, else `otherwise`, or all of them.

    >>> suggest("catapullt", ["catapult", "trampoline"])
    "did you mean 'catapult'?"
    >>> suggest("zzz", ["catapult", "trampoline"])
    "choose one of 'catapult', 'trampoline'."
    """
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return otherwise or f"choose one of {', '.join(map(repr, known))}."


def brief(value: object, limit: int = 80) -> str:
    """`value` as one line, to be quoted in a sentence.

    >>> brief([[1, 2],
    ...        [3, 4]], limit=12)
    '[[1, 2],...'
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 4].rstrip() + "..."
