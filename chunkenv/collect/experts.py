"""Experts as sources of data: objects that act, and the checkpoints that they are loaded from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from chunkenv.data.dataset_files import sha256_of
from chunkenv.errors import ArgumentError, brief
from chunkenv.utils.extras import missing_extra


class Demonstrator(Protocol):
    """Acts on the present observation; may have the attributes `level`, `observation`, `solve_rate`, `steps`."""

    def actions(self, observations: np.ndarray) -> np.ndarray:
        """The actions, float32[N, A], for float32[N, O]."""
        ...


@dataclass(frozen=True)
class ExpertSource:
    """An expert and where it comes from.

    Attributes:
        expert: has `actions(observations)`.
        name: its name in tables.
        sha256: of its file; empty for an expert without one.
    """

    expert: Demonstrator
    name: str
    sha256: str = ""


def read_sources(experts: Sequence[Demonstrator | ExpertSource | str | Path], level: str) -> list[ExpertSource]:
    """Experts as sources.

    Args:
        experts: each an `ExpertSource`, the path of a checkpoint, or an object with `actions(observations)`.
        level: which they must be experts for.

    Raises:
        ArgumentError: there are none, one cannot act, or is for another level or another observation.
        MissingExtraError: safetensors, which reads checkpoints, is not installed.
    """
    if isinstance(experts, str | bytes) or not isinstance(experts, Sequence) or not experts:
        raise ArgumentError(f"experts={brief(experts)} is no list of experts; give at least one.")
    sources = [_as_source(expert, index) for index, expert in enumerate(experts)]
    for source in sources:
        _check_source(source, level)
    return sources


def read_checkpoint(path: Path) -> ExpertSource:
    """The expert of a checkpoint, named after the file and its folder.

    Raises:
        ArgumentError: it cannot be read.
        MissingExtraError: safetensors is not installed.
    """
    try:
        from chunkenv.agents.policies.expert_checkpoints import load_expert
    except ImportError as error:
        raise missing_extra(f"{error.name} is", "agents") from error
    return ExpertSource(load_expert(path), f"{path.absolute().parent.name}/{path.stem}", sha256_of(path))


def _as_source(expert: Demonstrator | ExpertSource | str | Path, index: int) -> ExpertSource:
    if isinstance(expert, ExpertSource):
        return expert
    if isinstance(expert, str | Path):
        return read_checkpoint(Path(expert))
    return ExpertSource(expert, f"expert{index}")


def _check_source(source: ExpertSource, level: str) -> None:
    expert = source.expert
    if isinstance(expert, type) or not callable(getattr(expert, "actions", None)):
        raise ArgumentError(f"{brief(expert)} has no method actions(observations); give expert objects.")
    for attribute, wanted in (("level", level), ("observation", "compact")):
        found = getattr(expert, attribute, wanted)
        if found != wanted:
            raise ArgumentError(f"The expert {source.name} is for {attribute} {found!r}, not {wanted!r}.")
