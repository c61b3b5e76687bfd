"""Checkpoints of experts and of unfinished trainings: safetensors files that say what they are.

`<out>/<level>/seed<k>/step<n>.safetensors` are experts; `resume.safetensors` beside them is all that a training needs
to go on. A file holds its facts as JSON and a digest of its arrays, and is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from chunkenv.agents.policies.expert import Expert
from chunkenv.errors import ArgumentError
from chunkenv.utils.files import atomic_file

FORMAT = 1
EXPERT, TRAINING = "chunkenv expert", "chunkenv training"
"""What a file can be."""

MILESTONES = (0.25, 0.5, 0.65, 0.8, 0.9, 0.95)
"""Of the solve rate: the first checkpoint that reaches each is kept, for demonstrators of several skill levels."""

Arrays = dict[str, np.ndarray]


def run_folder(out: Path, level: str, seed: int) -> Path:
    """Where a training leaves its files.

    >>> run_folder(Path("results"), "catapult", 1).as_posix()
    'results/catapult/seed1'
    """
    return out / level / f"seed{seed}"


def checkpoint_path(folder: Path, steps: int) -> Path:
    """The file of the expert after so many steps."""
    return folder / f"step{steps}.safetensors"


def worth_keeping(history: Sequence[tuple[int, float]]) -> set[int]:
    """Which checkpoints stay: the last, the best (the latest of equals), and the first to reach each milestone.

    What is dropped once is never asked for again when the history grows.

    Args:
        history: steps and solve rate of all checkpoints so far, in their order.

    >>> sorted(worth_keeping([(1, 0.1), (2, 0.3), (3, 0.4), (4, 0.7), (5, 0.7), (6, 0.6)]))
    [2, 4, 5, 6]
    """
    if not history:
        return set()
    best = max(history, key=lambda entry: (entry[1], entry[0]))
    firsts = (next((steps for steps, rate in history if rate >= milestone), None) for milestone in MILESTONES)
    return {history[-1][0], best[0]} | {steps for steps in firsts if steps is not None}


def prune(folder: Path, keep: Iterable[int]) -> None:
    """Delete all checkpoints of a run but those after `keep` steps."""
    kept = {checkpoint_path(folder, steps) for steps in keep}
    for path in folder.glob("step*.safetensors"):
        if path not in kept:
            path.unlink()


def save_expert(path: Path, expert: Expert, settings: dict[str, Any]) -> None:
    """Write an expert, and the settings that it was trained with; the same expert gives the same bytes."""
    facts = {
        name: getattr(expert, name) for name in ("level", "observation", "seed", "steps", "solve_rate", "channels")
    }
    arrays = {"mean": expert.mean, "scale": expert.scale}
    for index, (kernel, bias) in enumerate(expert.layers):
        arrays |= {f"layer{index}.kernel": kernel, f"layer{index}.bias": bias}
    write(path, EXPERT, arrays, {**facts, "settings": settings})


def load(path: str | Path, level: str | None = None) -> Expert:
    """Read an expert.

    Args:
        path: of a checkpoint.
        level: what it must have been trained on; None takes any.

    Raises:
        ArgumentError: there is no such file, it is damaged, it is something else, or of another level.
    """
    path = Path(path)
    arrays, facts = read(path, EXPERT)
    if level is not None and facts["level"] != level:
        raise ArgumentError(f"{path} is an expert for {facts['level']!r}, not for {level!r}; give one of that level.")
    count = sum(name.endswith(".kernel") for name in arrays)
    layers = tuple((arrays[f"layer{index}.kernel"], arrays[f"layer{index}.bias"]) for index in range(count))
    return Expert(
        level=facts["level"],
        seed=facts["seed"],
        steps=facts["steps"],
        solve_rate=facts["solve_rate"],
        channels=tuple(facts["channels"]),
        mean=arrays["mean"],
        scale=arrays["scale"],
        layers=layers,
    )


def load_all(folder: str | Path, at_least: float = 0.0) -> list[Expert]:
    """The experts of a run with a solve rate of `at_least`, from the first to the last.

    Raises:
        ArgumentError: the folder holds none, or one that is damaged.
    """
    experts = sorted((load(path) for path in Path(folder).glob("step*.safetensors")), key=lambda expert: expert.steps)
    good = [expert for expert in experts if expert.solve_rate >= at_least]
    if not good:
        rates = ", ".join(f"{expert.solve_rate:.2f}" for expert in experts) or "no checkpoint at all"
        raise ArgumentError(f"{folder} holds no expert with a solve rate of at least {at_least:g}: it has {rates}.")
    return good


def load_best(folder: str | Path) -> Expert:
    """The expert of a run with the highest solve rate, the latest of equals.

    Raises:
        ArgumentError: the folder holds none, or one that is damaged.
    """
    return max(load_all(folder), key=lambda expert: (expert.solve_rate, expert.steps))


def write(path: Path, kind: str, arrays: Arrays, facts: dict[str, Any]) -> None:
    """Write arrays and facts as one file of a kind, whole or not at all.

    Raises:
        UnwritableError: it cannot be written; the file that was there before is untouched.
    """
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    about = {"kind": kind, "format": FORMAT, "digest": _digest(whole), **facts}
    with atomic_file(path) as file:
        file.write(save(whole, {"chunkenv": json.dumps(about)}))


def read(path: Path, kind: str) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and facts of a file that `write` wrote.

    Raises:
        ArgumentError: there is no such file, it is damaged, or of another kind.
    """
    if not path.is_file():
        raise ArgumentError(f"There is no {kind} {path}; chunkenv train makes one.")
    try:
        with safe_open(path, "numpy") as file:
            about = json.loads((file.metadata() or {}).get("chunkenv", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dictionary)
    except (SafetensorError, OSError, ValueError) as error:
        raise ArgumentError(
            f"{path} is damaged or no checkpoint ({error}); train it again, or copy it anew."
        ) from error
    if about.get("kind") != kind:
        found = about.get("kind") or "a safetensors file of another program"
        raise ArgumentError(f"{path} is no {kind} but {found}; give the path of a {kind}.")
    if about["format"] != FORMAT:
        raise ArgumentError(f"{path} has format {about['format']}, this version reads {FORMAT}: train it again.")
    if about["digest"] != _digest(arrays):
        raise ArgumentError(f"{path} is damaged: its arrays are not those that were written; copy it anew.")
    return arrays, about


def _digest(arrays: Arrays) -> str:
    """A hash of names, types, shapes and contents."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape} ".encode())
        found.update(arrays[name].tobytes())
    return found.hexdigest()
