"""Checkpoints of experts: `<out>/<level>/seed<k>/step<n>.safetensors`, and which of them are worth keeping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from chunkenv.agents.common.checkpoint_file import Facts, read, write
from chunkenv.agents.policies.expert import Expert
from chunkenv.errors import ArgumentError

KIND = "chunkenv expert"

MILESTONES = (0.25, 0.5, 0.65, 0.8, 0.9, 0.95)
"""Of the solve rate: the first checkpoint that reaches each is kept, for demonstrators of several skill levels."""


def run_folder(out: Path, level: str, seed: int) -> Path:
    """The folder of a training.

    >>> run_folder(Path("results"), "catapult", 1).as_posix()
    'results/catapult/seed1'
    """
    return out / level / f"seed{seed}"


def checkpoint_path(folder: Path, steps: int) -> Path:
    """The file of the expert after so many steps."""
    return folder / f"step{steps}.safetensors"


def worth_keeping(history: Sequence[tuple[int, float]]) -> set[int]:
    """Which checkpoints stay: the last, the best (the latest of equals), and the first to reach each milestone.

    A checkpoint that was dropped once is not needed when the history grows.

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


def save_expert(path: Path, expert: Expert, settings: Facts) -> None:
    """Write an expert, and the settings that it was trained with; the same expert gives the same bytes."""
    facts = {
        name: getattr(expert, name) for name in ("level", "observation", "seed", "steps", "solve_rate", "channels")
    }
    arrays = {"mean": expert.mean, "scale": expert.scale} | ({} if expert.std is None else {"std": expert.std})
    for index, (kernel, bias) in enumerate(expert.layers):
        arrays |= {f"layer{index}.kernel": kernel, f"layer{index}.bias": bias}
    write(path, KIND, arrays, {**facts, "settings": settings})


def load_expert(path: str | Path, level: str | None = None) -> Expert:
    """Read an expert.

    Args:
        path: of a checkpoint.
        level: the level that it must have been trained on; any if None.

    Raises:
        ArgumentError: there is no such file, it is damaged, it is something else, or of another level.
    """
    path = Path(path)
    arrays, facts = read(path, KIND)
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
        std=arrays.get("std"),
    )


def load_experts(folder: str | Path, at_least: float = 0.0) -> list[Expert]:
    """The experts of a run with a solve rate of `at_least`, from the first to the last.

    Raises:
        ArgumentError: the folder holds none, or one that is damaged.
    """
    experts = sorted(
        (load_expert(path) for path in Path(folder).glob("step*.safetensors")), key=lambda expert: expert.steps
    )
    good = [expert for expert in experts if expert.solve_rate >= at_least]
    if not good:
        rates = ", ".join(f"{expert.solve_rate:.2f}" for expert in experts) or "no checkpoint at all"
        raise ArgumentError(f"{folder} holds no expert with a solve rate of at least {at_least:g}: it has {rates}.")
    return good


def load_best_expert(folder: str | Path) -> Expert:
    """The expert of a run with the highest solve rate, the latest of equals.

    Raises:
        ArgumentError: the folder holds none, or one that is damaged.
    """
    return max(load_experts(folder), key=lambda expert: (expert.solve_rate, expert.steps))
