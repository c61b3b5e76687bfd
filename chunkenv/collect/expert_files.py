"""The experts in files and folders that `chunkenv train ppo` wrote."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from chunkenv.collect.experts import ExpertSource, read_sources
from chunkenv.errors import ArgumentError
from chunkenv.registration import ACTION_NOISE
from chunkenv.utils.checks import real_number

RATED_EPISODES, RATED_SEED = 256, 1_000_003
"""What an expert is rated by whose actions are sampled; the seed is far from those of data."""


def read_experts(paths: Sequence[Path], level: str, least: float = 0.0, actions: str = "mean") -> list[ExpertSource]:
    """The experts of checkpoints, those of a folder in the order of runs and steps.

    Args:
        paths: of checkpoints, or of folders with some at any depth.
        level: which they must be experts for.
        least: experts that solve less are left out: when they were saved, by the mean of their actions; or now, by
            samples, because one that has only begun to learn solves much with its mean and nothing with its samples.
        actions: "mean", or "sampled", which is how they will play.

    Raises:
        ArgumentError: none is left, one cannot be read, or is for another level.
        MissingExtraError: safetensors is not installed.
    """
    real_number("solve_rate", least, at_least=0.0, at_most=1.0)
    found = read_sources(_find_files(paths), level)
    rates = [
        _sampled_rate(source, level) if least and actions == "sampled" else _solve_rate(source) for source in found
    ]
    good = [source for source, rate in zip(found, rates, strict=True) if not rate < least]  # NaN is unknown, and stays
    if not good:
        known = ", ".join(f"{source.name} {rate:.2f}" for source, rate in zip(found, rates, strict=True))
        raise ArgumentError(f"No expert solves {least:g} of {level} ({known}); train further, or say --solve-rate.")
    return good


def _solve_rate(source: ExpertSource) -> float:
    """The solve rate that an expert was saved with; NaN if it is unknown."""
    return float(getattr(source.expert, "solve_rate", math.nan))


def _sampled_rate(source: ExpertSource, level: str) -> float:
    """The solve rate of an expert whose actions are sampled."""
    from chunkenv.collect.expert_player import ExpertPlayer  # here: the command must start without numba

    player = ExpertPlayer(level, [source], RATED_SEED, ACTION_NOISE, RATED_EPISODES, None, "sampled")
    return sum(episode.success for episode in player.play(range(RATED_EPISODES))) / RATED_EPISODES


def _find_files(paths: Sequence[Path]) -> list[Path]:
    files = [file for path in paths for file in (path.rglob("step*.safetensors") if path.is_dir() else [path])]
    if not files:
        where = ", ".join(map(str, paths))
        raise ArgumentError(f"{where} has no step*.safetensors; give the folder that `chunkenv train ppo` wrote.")
    return sorted(set(files), key=_sort_key)


def _sort_key(path: Path) -> list[int | str]:
    """A sort key with step9 before step10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.as_posix())]
