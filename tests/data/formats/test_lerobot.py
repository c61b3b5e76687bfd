import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chunkenv.data import DataError, check_dataset
from chunkenv.data.formats.lerobot import from_lerobot

SAID = ["Pick up the cube.", "Open the drawer."]
LENGTHS = (4, 2, 3)


def rows(episode):
    count = LENGTHS[episode]
    return {
        "observation.state": [[episode + 0.1 * t, -t] for t in range(count)],
        "action": [[float(10 * episode + t)] for t in range(count)],
        "next.reward": [float(t) for t in range(count)],
        "next.success": [t == count - 1 and episode == 1 for t in range(count)],
        "episode_index": [episode] * count,
        "frame_index": list(range(count)),
        "task_index": [episode % 2] * count,
    }


def write_table(path, columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def write(folder, version):
    """A small data set in LeRobot's documented layout."""
    (folder / "meta").mkdir(parents=True)
    (folder / "meta" / "info.json").write_text(json.dumps({"codebase_version": version, "fps": 20}))
    parts = [rows(episode) for episode in range(len(LENGTHS))]
    if version == "v2.1":
        lines = [json.dumps({"task_index": index, "task": task}) for index, task in enumerate(SAID)]
        (folder / "meta" / "tasks.jsonl").write_text("\n".join(lines))
        for episode, part in enumerate(parts):
            write_table(folder / f"data/chunk-000/episode_{episode:06d}.parquet", part)
    else:
        write_table(folder / "meta/tasks.parquet", {"task_index": [0, 1], "__index_level_0__": SAID})
        joined = {name: [*parts[0][name], *parts[1][name]] for name in parts[0]}
        write_table(folder / "data/chunk-000/file-000.parquet", joined)
        write_table(folder / "data/chunk-000/file-001.parquet", parts[2])
    return folder


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_a_data_set_is_read(tmp_path, version):
    dataset = from_lerobot(write(tmp_path / "lerobot", version), tmp_path / "plain")
    assert check_dataset(tmp_path / "plain") == []
    assert dataset.episodes.length.tolist() == [3, 1, 2]
    assert dataset.info["instructions"] == [SAID[0], SAID[1], SAID[0]]
    assert dataset.actions.ravel().tolist() == [0, 1, 2, 10, 20, 21]
    assert dataset.rewards.tolist() == [0, 1, 2, 0, 0, 1]
    assert dataset.episodes.success.tolist() == dataset.terminated[[2, 3, 5]].tolist() == [False, True, False]
    assert np.allclose(dataset.episodes.final_observation, [[0.3, -3], [1.1, -1], [2.2, -2]])


def forget_info(folder):
    (folder / "meta/info.json").unlink()


def age(folder):
    (folder / "meta/info.json").write_text('{"codebase_version": "v1.6"}')


def forget_rows(folder):
    for file in (folder / "data/chunk-000").iterdir():
        file.unlink()


def damage(folder):
    (folder / "data/chunk-000/episode_000001.parquet").write_bytes(b"PAR1")


def drop_state(folder):
    path = folder / "data/chunk-000/episode_000001.parquet"
    write_table(path, {name: column for name, column in rows(1).items() if name != "observation.state"})


def drop_a_frame(folder):
    write_table(folder / "data/chunk-000/episode_000000.parquet", rows(0) | {"frame_index": [0, 1, 3, 4]})


def forget_a_task(folder):
    (folder / "meta/tasks.jsonl").write_text('{"task_index": 0, "task": "Wait."}')


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (forget_info, "is no data set of LeRobot: it has no meta/info.json"),
        (age, "has version 'v1.6'; v2.1 and v3.0 can be read"),
        (forget_rows, "has no rows"),
        (damage, "is damaged"),
        (drop_state, "has no column 'observation.state'"),
        (drop_a_frame, "Episode 0 has the frames"),
        (forget_a_task, "Episode 1 is of task 1, which meta/tasks does not have"),
    ],
)
def test_a_faulty_data_set_is_refused_and_nothing_written(tmp_path, spoil, sentence):
    spoil(write(tmp_path / "lerobot", "v2.1"))
    with pytest.raises(DataError, match=sentence):
        from_lerobot(tmp_path / "lerobot", tmp_path / "plain")
    assert not (tmp_path / "plain").exists()
