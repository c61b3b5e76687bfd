"""The experts in files and folders that `chunkenv train ppo` wrote."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from chunkenv.collect.experts import ExpertSource, read_sources
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import real_number


def read_experts(paths: Sequence[Path], level: str, least: float = 0.0) -> list[ExpertSource]:
    """The experts of checkpoints, those of a folder in the order of runs and steps.

    Args:
        paths: of checkpoints, or of folders with some at any depth.
        level: which they must be experts for.
        least: experts that solved less when they were saved are left out.

    Raises:
        ArgumentError: none is left, one cannot be read, or is for another level.
        MissingExtraError: safetensors is not installed.
    """
    real_number("solve_rate", least, at_least=0.0, at_most=1.0)
    found = read_sources(_find_files(paths), level)
    good = [source for source in found if not _solve_rate(source) < least]  # an unknown rate is NaN, and stays
    if not good:
        rates = ", ".join(f"{source.name} {_solve_rate(source):.2f}" for source in found)
        raise ArgumentError(f"No expert solves {least:g} of {level} ({rates}); train further, or say --solve-rate.")
    return good


def _solve_rate(source: ExpertSource) -> float:
    """The solve rate that an expert was saved with; NaN if it is unknown."""
    return float(getattr(source.expert, "solve_rate", math.nan))


def _find_files(paths: Sequence[Path]) -> list[Path]:
    files = [file for path in paths for file in (path.rglob("step*.safetensors") if path.is_dir() else [path])]
    if not files:
        where = ", ".join(map(str, paths))
        raise ArgumentError(f"{where} has no step*.safetensors; give the folder that `chunkenv train ppo` wrote.")
    return sorted(set(files), key=_sort_key)


def _sort_key(path: Path) -> list[int | str]:
    """A sort key with step9 before step10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.as_posix())]
