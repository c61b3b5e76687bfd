"""Experts as sources of data: who they are, and how they are asked so that rows are the same on every occasion."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from chunkenv.data.files import sha256_of
from chunkenv.errors import ArgumentError, MissingExtraError, brief

ROWS = 32
"""Observations that an expert is asked for at a time."""

N_PROBES = 8


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
        from chunkenv.agents.checkpoints import load
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
    """An expert whose answer to an observation does not depend on what else is asked with it.

    Libraries of linear algebra choose their way, and so the last bits, by the size of a batch, and may by the place in
    it. So every batch has `ROWS` rows, the last ones filled with zeros; where even the place matters, which is tried
    out once, the expert is asked for one observation at a time.

    Args:
        source: the expert.
        observation_size: O.
        action_size: A.

    Raises:
        ArgumentError: it does not answer with float[N, A].
    """

    def __init__(self, source: Source, observation_size: int, action_size: int) -> None:
        self._source, self._action_size = source, action_size
        self._rows = ROWS
        if not self._alike_anywhere(observation_size):
            self._rows = 1

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """What to do, float32[N, A], for float32[N, O]."""
        answers = [
            self._ask(observations[start : start + self._rows]) for start in range(0, len(observations), self._rows)
        ]
        return np.concatenate(answers)

    def fingerprint(self, observation_size: int) -> str:
        """The SHA-256 of its file, or, without one, of what it does."""
        return self._source.sha256 or hashlib.sha256(self(_probe(observation_size)).tobytes()).hexdigest()

    def _ask(self, observations: np.ndarray) -> np.ndarray:
        count = len(observations)
        filled = np.zeros((self._rows, *observations.shape[1:]), np.float32)
        filled[:count] = observations
        answer = np.asarray(self._source.expert.actions(filled))
        if answer.shape != (self._rows, self._action_size) or answer.dtype.kind != "f":
            raise ArgumentError(
                f"The expert {self._source.name} answered {answer.dtype}{list(answer.shape)} to {self._rows} "
                f"observations; it must be float32[{self._rows}, {self._action_size}]."
            )
        return answer[:count].astype(np.float32)

    def _alike_anywhere(self, observation_size: int) -> bool:
        """Whether answers are the same at other places, in other company, and alone."""
        probe = _probe(observation_size)
        answers = self._ask(probe)
        moved = all(
            np.array_equal(self._ask(np.roll(probe, shift, axis=0)), np.roll(answers, shift, axis=0))
            for shift in range(1, N_PROBES)
        )
        return moved and all(np.array_equal(self._ask(probe[:n]), answers[:n]) for n in range(1, N_PROBES))


def _probe(observation_size: int) -> np.ndarray:
    """Observations to try an expert with, the same ones always."""
    return np.random.default_rng(0).standard_normal((ROWS, observation_size)).astype(np.float32)
