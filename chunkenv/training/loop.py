"""The loop of every training: it goes on from its folder, reports, evaluates and writes, and survives any kill.

An algorithm is a `Training`: it knows its state, one round of updates and an evaluation, and nothing of files but its
results. All randomness follows from a seed and counts that are part of the state, and the results are written before
the state: a kill at any moment loses at most what came after the last evaluation, and going on makes it again, to the
bit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.errors import ArgumentError, brief
from chunkenv.training.metrics import Journal, Metrics

RESUME = "resume.safetensors"


class Training(Protocol):
    """What the loop needs of an algorithm.

    Attributes:
        kind: what its resume file is called.
        total_steps: how many steps there are in all, in steps of the algorithm's own.
        report_every: steps between two lines of `metrics.jsonl`.
        evaluate_every: steps between two evaluations; each writes the results and the resume file.
    """

    kind: ClassVar[str]
    total_steps: int
    report_every: int
    evaluate_every: int

    @property
    def identity(self) -> Facts:
        """Everything that decides the result, as plain data: settings, seed, checksums of the data."""
        ...

    @property
    def steps(self) -> int:
        """How many steps were made."""
        ...

    @property
    def done(self) -> bool:
        """Whether all steps were made."""
        return self.steps >= self.total_steps

    def advance(self) -> Metrics:
        """Make a round of updates; its metrics, with "steps"."""
        ...

    def evaluate(self) -> Metrics:
        """How good it is now; {} for what is not evaluated."""
        ...

    def state(self) -> tuple[Arrays, Facts]:
        """Everything that changes, as arrays and plain data."""
        ...

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        ...

    def write_results(self, folder: Path) -> None:
        """Write what the training is made for, as it is now, each file atomically."""
        ...


AnyTraining = TypeVar("AnyTraining", bound=Training)


def resume(training: AnyTraining, folder: str | os.PathLike[str]) -> AnyTraining:
    """The same training, in the state that its folder holds, if any.

    Raises:
        ArgumentError: the folder holds another training, or a damaged file.
    """
    path = Path(folder) / RESUME
    if path.exists():
        load_state(training, path)
    return training


def train(training: Training, folder: str | os.PathLike[str]) -> Iterator[Metrics]:
    """Train to the end; yields the metrics of each round, with those of the evaluation where there was one.

    Args:
        training: new, or from `resume`.
        folder: gets `metrics.jsonl`, the results, and `resume.safetensors`.
    """
    folder = Path(folder)
    journal = Journal(folder, training.steps)
    while not training.done:
        before = training.steps
        metrics = training.advance()
        evaluates = _is_due(training, before, training.evaluate_every)
        if evaluates:
            metrics |= training.evaluate()
        if _is_due(training, before, training.report_every):
            journal.write(metrics)
        if evaluates:
            training.write_results(folder)
            save_state(training, folder / RESUME)
        yield metrics


def save_state(training: Training, path: Path) -> None:
    """Write everything that is needed to go on, atomically."""
    arrays, facts = training.state()
    checkpoint_file.write(path, training.kind, arrays, {"identity": training.identity, **facts})


def load_state(training: Training, path: Path) -> None:
    """Go on from a file that `save_state` wrote.

    Raises:
        ArgumentError: it belongs to another training, which the sentence tells apart, or is damaged.
    """
    arrays, facts = checkpoint_file.read(path, training.kind)
    stored = facts.get("identity", facts)  # older files of experts have it beside the rest
    wanted = json.loads(json.dumps(training.identity))
    found = {name: stored.get(name) for name in wanted}
    if different := [f"{name}={brief(old)}, not {brief(new)}" for name, old, new in _differences(found, wanted)]:
        raise ArgumentError(f"{path} was begun with {', and '.join(different)}; give the same, or another folder.")
    training.restore(arrays, facts)


def _is_due(training: Training, before: int, every: int) -> bool:
    return training.done or training.steps // every > before // every


def _differences(first: Facts, second: Facts) -> Iterator[tuple[str, object, object]]:
    """The names, also inside of dictionaries, whose values differ, with both values."""
    for name in {**first, **second}:
        one, other = first.get(name), second.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differences(one, other)
        elif one != other:
            yield name, one, other
