"""Trainings as parts of a study: each is made once, whoever needs it, and found again later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from chunkenv.training.loop import AnyTraining, resume, train
from chunkenv.utils.files import explain_write_errors


def train_once(make_training: Callable[[], AnyTraining], folder: Path) -> AnyTraining:
    """A training that is done: from its folder, gone on with, or made from the beginning.

    Processes that need the same training at the same time wait for the first one of them.

    Args:
        make_training: the training before its first step.
        folder: of this training alone.

    Raises:
        ArgumentError: the folder holds another training.
    """
    with explain_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):  # it is lost with its process
        training = resume(make_training(), folder)
        if not training.done:
            for _ in train(training, folder):
                pass
    return training
