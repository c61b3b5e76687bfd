"""LeRobot's data sets, v2.1 and v3.0, in the plain form (https://github.com/huggingface/lerobot).

Both have `meta/info.json` and parquet files under `data/`, one an episode (v2.1) or many in one (v3.0), with columns
`observation.state`, `action`, `episode_index`, `frame_index` and `task_index`; the sentences of the tasks are in
`meta/tasks.jsonl` (v2.1) or `meta/tasks.parquet` (v3.0).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import chunkenv
from chunkenv.data.dataset import Dataset, empty_folder, write_episodes
from chunkenv.data.dataset_files import DataError, Info, read_json
from chunkenv.data.episodes import Episode
from chunkenv.utils.extras import require

VERSIONS = ("v2.1", "v3.0")
STATE, ACTION, EPISODE, FRAME, TASK = "observation.state", "action", "episode_index", "frame_index", "task_index"
REWARD, SUCCESS = "next.reward", "next.success"

Columns = dict[str, np.ndarray]


def from_lerobot(path: str | Path, out: str | Path) -> Dataset:
    """Write a data set of LeRobot's in the plain form.

    LeRobot keeps no observation after an episode's last action, so that action is left out: an episode of T rows has
    T - 1 ticks. `info["instructions"]` has the task of each episode in words. Rewards are `next.reward`, or 0; an
    episode is solved and ends as such if `next.success` says so in any row. Videos are not read.

    Args:
        path: of the data set's folder, with `meta` and `data` in it.
        out: the folder for it, empty or not there.

    Raises:
        ArgumentError: the folder `out` is not empty.
        DataError: it is no such data set, of another version, or its columns do not fit; nothing is written.
        MissingExtraError: pyarrow is not installed.
    """
    require("bench", "pyarrow")
    folder, out = Path(path), empty_folder(out)
    about = _read_about(folder)
    columns = _read_rows(folder)
    episodes, said = [], []
    tasks = _read_tasks(folder)
    for number in np.unique(columns[EPISODE]).tolist():
        rows = {name: column[columns[EPISODE] == number] for name, column in columns.items()}
        episodes.append(_episode(rows, number))
        said.append(_say_task(tasks, int(rows[TASK][0]), number) if TASK in rows else "")
    info = {
        "level": None,
        "observation": None,
        "experts": [{"name": f"lerobot {about['codebase_version']}"}],
        "noise": None,
        "seed": None,
        "chunkenv": chunkenv.__version__,
        "command": "",
        "fps": about.get("fps"),
        "instructions": said,
    }
    return write_episodes(out, episodes, info, np.unique(columns[EPISODE]).tolist())


def _read_about(folder: Path) -> Info:
    if not (folder / "meta" / "info.json").is_file():
        raise DataError(f"{folder} is no data set of LeRobot: it has no meta/info.json; give the folder that has.")
    about = read_json(folder / "meta" / "info.json")
    if about.get("codebase_version") not in VERSIONS:
        raise DataError(
            f"{folder} has version {about.get('codebase_version')!r}; {' and '.join(VERSIONS)} can be read: convert it "
            "with LeRobot's own scripts."
        )
    return about


def _read_rows(folder: Path) -> Columns:
    """The columns of all files, in the order of the rows."""
    files = sorted((folder / "data").glob("chunk-*/*.parquet"))
    if not files:
        raise DataError(f"{folder} has no rows: there is no data/chunk-*/*.parquet; download it again.")
    parts = [_read_file(file) for file in files]
    if any(part.keys() != parts[0].keys() for part in parts):
        raise DataError(f"{folder} has files with different columns; download it again.")
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns[FRAME], columns[EPISODE]))
    return {name: column[order] for name, column in columns.items()}


def _read_file(file: Path) -> Columns:
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file)
    except (OSError, ValueError) as error:
        raise DataError(f"{file} is damaged ({error}); download it again.") from error
    missing = {STATE, ACTION, EPISODE, FRAME} - set(table.column_names)
    if missing:
        raise DataError(f"{file} has no column {sorted(missing)[0]!r}; only data sets with a state can be read.")
    names = [name for name in (STATE, ACTION, EPISODE, FRAME, TASK, REWARD, SUCCESS) if name in table.column_names]
    return {name: _as_array(file, name, table.column(name).to_pylist()) for name in names}


def _as_array(file: Path, name: str, values: list[Any]) -> np.ndarray:
    try:
        array = np.array(values, np.float32 if name in (STATE, ACTION, REWARD) else np.int64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{file} has no numbers, or rows of different sizes, in {name!r} ({error}); fix it.") from error
    return array.reshape(len(values), -1) if name in (STATE, ACTION) else array.reshape(len(values))


def _episode(rows: Columns, number: int) -> Episode:
    count = len(rows[FRAME])
    if count < 2 or not np.array_equal(rows[FRAME], np.arange(count)):
        raise DataError(
            f"Episode {number} has the frames {rows[FRAME][:5].tolist()}..., {count} of them, not 0, 1, 2 and so on, "
            "at least two; fix it, or leave it out."
        )
    solved = bool(rows[SUCCESS].any()) if SUCCESS in rows else False
    rewards = rows[REWARD][:-1] if REWARD in rows else np.zeros(count - 1, np.float32)
    return Episode(rows[STATE], rows[ACTION][:-1], rewards, solved, solved, 0, -1)


def _read_tasks(folder: Path) -> dict[int, str]:
    """The sentences of the tasks, by their numbers."""
    lines, table = folder / "meta" / "tasks.jsonl", folder / "meta" / "tasks.parquet"
    try:
        if lines.is_file():
            return {int(one["task_index"]): str(one["task"]) for one in _read_lines(lines)}
        return _read_task_table(table) if table.is_file() else {}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise DataError(f"{folder / 'meta'} has tasks that cannot be read ({error!r}); download it again.") from error


def _read_lines(path: Path) -> Iterator[Info]:
    return (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def _read_task_table(path: Path) -> dict[int, str]:
    """v3.0 keeps the sentences as the index of a data frame, whose column has a name that pandas gave it."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    (text,) = (name for name in table.column_names if name != "task_index")
    return dict(zip(table.column("task_index").to_pylist(), map(str, table.column(text).to_pylist()), strict=True))


def _say_task(tasks: dict[int, str], task: int, episode: int) -> str:
    if task not in tasks:
        raise DataError(f"Episode {episode} is of task {task}, which meta/tasks does not have; download it again.")
    return tasks[task]
