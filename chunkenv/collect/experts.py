"""Experts as sources of data: who they are, and how they are asked so that rows are the same on every occasion."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from chunkenv.data.dataset_files import sha256_of
from chunkenv.errors import ArgumentError, MissingExtraError, brief

ROWS = 64
"""Observations that an expert is asked for at a time."""


class Expert(Protocol):
    """Who acts on the observation of the moment; it may say of itself `level`, `observation`, `solve_rate`, `steps`."""

    def actions(self, observations: np.ndarray) -> np.ndarray:
        """What to do, float32[N, A], for float32[N, O]."""
        ...


@dataclass(frozen=True)
class Source:
    """An expert and where it is from.

    Attributes:
        expert: has `actions(observations)`.
        name: what it is called in tables.
        sha256: of its file; empty for an expert without one.
    """

    expert: Expert
    name: str
    sha256: str = ""


def read_sources(experts: Sequence[Any], level: str) -> list[Source]:
    """Experts as sources.

    Args:
        experts: each a `Source`, the path of a checkpoint, or an object with `actions(observations)`.
        level: what they have to be experts for.

    Raises:
        ArgumentError: there are none, one cannot act, or was made for another level or another observation.
        MissingExtraError: safetensors, which checkpoints are read with, is not installed.
    """
    if isinstance(experts, str | bytes) or not isinstance(experts, Sequence) or not experts:
        raise ArgumentError(f"experts={brief(experts)} is no list of experts; give at least one.")
    sources = [_source(expert, index) for index, expert in enumerate(experts)]
    for source in sources:
        _check(source, level)
    return sources


def read_checkpoint(path: Path) -> Source:
    """The expert of a checkpoint, named after the file and its folder.

    Raises:
        ArgumentError: it cannot be read.
        MissingExtraError: safetensors is not installed.
    """
    try:
        from chunkenv.agents.common.checkpoint_file import load
    except ImportError as error:
        raise MissingExtraError(f'{error.name} is not installed: run `pip install "chunkenv[agents]"`.') from error
    return Source(load(path), f"{path.absolute().parent.name}/{path.stem}", sha256_of(path))


def _source(expert: Any, index: int) -> Source:
    if isinstance(expert, Source):
        return expert
    if isinstance(expert, str | Path):
        return read_checkpoint(Path(expert))
    return Source(expert, f"expert{index}")


def _check(source: Source, level: str) -> None:
    expert = source.expert
    if isinstance(expert, type) or not callable(getattr(expert, "actions", None)):
        raise ArgumentError(f"{brief(expert)} has no method actions(observations); give expert objects.")
    for attribute, wanted in (("level", level), ("observation", "compact")):
        found = getattr(expert, attribute, wanted)
        if found != wanted:
            raise ArgumentError(f"The expert {source.name} is for {attribute} {found!r}, not {wanted!r}.")


class Answers:
    """An expert whose answer to an observation does not depend on what else is asked with it, to the bit.

    Libraries of linear algebra choose their way, and so the last bits, by the size of a batch and by the place in it:
    of 16 rows, numpy's OpenBLAS may add up the seventh otherwise than the first, and a slot that gets free earlier
    would be enough to change an episode. So every batch has `ROWS` rows, and the observations of an episode always have
    the same place in it, which follows from the episode's number; what nobody asks for is filled with zeros.

    Args:
        source: the expert.
        first: the observation that episodes begin with, float32[O].
        action_size: A.

    Raises:
        ArgumentError: it does not answer with float[N, A], or what it answers depends on the other rows.
    """

    def __init__(self, source: Source, first: np.ndarray, action_size: int) -> None:
        self._source, self._shape = source, (ROWS, action_size)
        self._probe = _around(first)
        self._answers = self._ask(self._probe)
        self._expect_rows_apart()

    def __call__(self, observations: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """What to do, float32[N, A].

        Args:
            observations: float32[N, O].
            numbers: of their episodes, int[N].
        """
        places = numbers % ROWS
        batches = _earlier_equals(places)
        filled = np.zeros((batches.max() + 1, ROWS, observations.shape[1]), np.float32)
        filled[batches, places] = observations
        return np.stack([self._ask(batch) for batch in filled])[batches, places].astype(np.float32)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its file, or, without one, of what it does about some observations."""
        return self._source.sha256 or hashlib.sha256(self._answers.astype(np.float32).tobytes()).hexdigest()

    def _ask(self, observations: np.ndarray) -> np.ndarray:
        answer = np.asarray(self._source.expert.actions(observations))
        if answer.shape != self._shape or answer.dtype.kind != "f":
            raise ArgumentError(
                f"The expert {self._source.name} answered {answer.dtype}{list(answer.shape)} to {ROWS} observations; "
                f"it must be float32{list(self._shape)}."
            )
        return answer.copy()

    def _expect_rows_apart(self) -> None:
        """Refuse an expert that says something else when fewer are asked."""
        for kept in (slice(0, None, 2), slice(1, None, 2)):
            fewer = np.zeros_like(self._probe)
            fewer[kept] = self._probe[kept]
            if not np.array_equal(self._ask(fewer)[kept], self._answers[kept]):
                raise ArgumentError(
                    f"What the expert {self._source.name} answers to one observation depends on the others in the "
                    "batch, or on chance; give one that treats every row by itself."
                )


def _earlier_equals(values: np.ndarray) -> np.ndarray:
    """How often each value stands before itself.

    >>> _earlier_equals(np.array([3, 1, 3, 3, 1]))
    array([0, 0, 1, 2, 1])
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    counts = np.empty_like(values)
    counts[order] = np.arange(len(values)) - np.searchsorted(ordered, ordered)
    return counts


def _around(observation: np.ndarray) -> np.ndarray:
    """Observations near one and farther away, always the same."""
    distances = np.geomspace(0.01, 1.0, ROWS)[:, None]
    noise = np.random.default_rng(0).standard_normal((ROWS, len(observation)))
    return (observation + distances * noise).astype(np.float32)
