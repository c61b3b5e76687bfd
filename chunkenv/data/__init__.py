"""Datasets: episodes as columns on the disk, checked, and read as windows of chunks and goals; Minari in and out."""

from typing import TYPE_CHECKING

from chunkenv.data.chosen_episodes import choose_episodes, first_episodes
from chunkenv.data.dataset import Dataset, Episodes, load, write_episodes
from chunkenv.data.dataset_files import DataError
from chunkenv.data.episodes import Episode
from chunkenv.data.hindsight import GoalDraw, GoalForm, GoalShares, HindsightGoals, SubgoalDraw
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import Batch, ReplayBuffer, draw_batch
from chunkenv.data.states import States
from chunkenv.data.windows.chunk_windows import Windows, split_episodes
from chunkenv.data.windows.every_length import EveryLength, LengthBatch
from chunkenv.data.windows.goal_windows import GoalBatch, GoalWindows
from chunkenv.data.windows.later_windows import LaterWindows
from chunkenv.data.windows.offset_windows import OffsetWindows
from chunkenv.data.windows.successors import SuccessorReplay, Successors
from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.data.check import check_dataset
    from chunkenv.data.coverage import find_attempts, map_visits, measure_coverage
    from chunkenv.data.executed import executed_actions
    from chunkenv.data.formats.lerobot import from_lerobot
    from chunkenv.data.formats.minari import from_minari, to_minari
    from chunkenv.data.formats.ogbench import from_ogbench
    from chunkenv.data.saved_frames import SavedFrames
    from chunkenv.data.summary import summarize_channels, summarize_experts
    from chunkenv.data.verify import verify_episodes

__all__ = [
    "Batch",
    "DataError",
    "Dataset",
    "Episode",
    "Episodes",
    "EveryLength",
    "GoalBatch",
    "GoalDraw",
    "GoalForm",
    "GoalShares",
    "GoalWindows",
    "HindsightGoals",
    "Horizons",
    "LaterWindows",
    "LengthBatch",
    "OffsetWindows",
    "ReplayBuffer",
    "SavedFrames",
    "States",
    "SubgoalDraw",
    "SuccessorReplay",
    "Successors",
    "Windows",
    "check_dataset",
    "choose_episodes",
    "draw_batch",
    "executed_actions",
    "find_attempts",
    "first_episodes",
    "from_lerobot",
    "from_minari",
    "from_ogbench",
    "load",
    "map_visits",
    "measure_coverage",
    "split_episodes",
    "summarize_channels",
    "summarize_experts",
    "to_minari",
    "verify_episodes",
    "write_episodes",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "check": "check_dataset",
        "coverage": "find_attempts map_visits measure_coverage",
        "executed": "executed_actions",
        "formats.lerobot": "from_lerobot",
        "formats.minari": "from_minari to_minari",
        "formats.ogbench": "from_ogbench",
        "saved_frames": "SavedFrames",
        "summary": "summarize_channels summarize_experts",
        "verify": "verify_episodes",
    },
)
