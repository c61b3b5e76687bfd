"""Plays the blocks of a study that lack rows, in processes of this machine or under Ray."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.bench.run.block_queue import StudyError, missing_blocks
    from chunkenv.bench.run.runner import Workers, run_study

__all__ = [
    "StudyError",
    "Workers",
    "missing_blocks",
    "run_study",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "block_queue": "StudyError missing_blocks",
        "runner": "Workers run_study",
    },
)
