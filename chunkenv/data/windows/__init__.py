"""Windows of episodes: chunks, two chunks in a row, every length of a chunk, goals, and what a delay hides."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.data.windows.chunk_windows import ChunkBatch, ExecutedBatch, Windows, split_episodes, window_rows
    from chunkenv.data.windows.every_length import EveryLength, LengthBatch
    from chunkenv.data.windows.goal_windows import GoalBatch, GoalWindows
    from chunkenv.data.windows.later_windows import LaterWindows
    from chunkenv.data.windows.offset_windows import OffsetWindows
    from chunkenv.data.windows.subgoal_windows import SubgoalBatch, SubgoalWindows
    from chunkenv.data.windows.successors import SuccessorReplay, Successors

__all__ = [
    "ChunkBatch",
    "EveryLength",
    "ExecutedBatch",
    "GoalBatch",
    "GoalWindows",
    "LaterWindows",
    "LengthBatch",
    "OffsetWindows",
    "SubgoalBatch",
    "SubgoalWindows",
    "SuccessorReplay",
    "Successors",
    "Windows",
    "split_episodes",
    "window_rows",
]

# Late: some windows build on the replay buffer, and that on the windows of chunks.
__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "chunk_windows": "ChunkBatch ExecutedBatch Windows split_episodes window_rows",
        "every_length": "EveryLength LengthBatch",
        "goal_windows": "GoalBatch GoalWindows",
        "later_windows": "LaterWindows",
        "offset_windows": "OffsetWindows",
        "subgoal_windows": "SubgoalBatch SubgoalWindows",
        "successors": "SuccessorReplay Successors",
    },
)
