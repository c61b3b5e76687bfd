import json

import pytest

from chunkenv.training import metrics
from chunkenv.training.metrics import Journal, read_metrics


def steps_of(path):
    return [line["steps"] for line in read_metrics(path / "metrics.jsonl")]


def test_going_on_drops_what_came_later_and_what_was_cut_off(tmp_path):
    journal = Journal(tmp_path, steps=0)
    for steps in (1, 2, 3):
        journal.write({"steps": steps, "solve_rate": steps / 10})
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"steps": 4, "solve_')
    assert steps_of(tmp_path) == [1, 2, 3]
    Journal(tmp_path, steps=2).write({"steps": 3, "solve_rate": 0.9})
    assert read_metrics(tmp_path / "metrics.jsonl")[-1] == {"steps": 3, "solve_rate": 0.9}
    assert steps_of(tmp_path) == [1, 2, 3]
    assert all(json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines())


def test_tensorboard_shows_the_same_and_no_more(tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    journal = Journal(tmp_path, steps=0)
    for steps in (1, 2, 3):
        journal.write({"steps": steps, "solve_rate": steps / 10})
    Journal(tmp_path, steps=2).write({"steps": 5, "solve_rate": 0.5})
    (file,) = (tmp_path / "tensorboard").iterdir()
    events = [event for event in loader.LegacyEventFileLoader(str(file)).Load() if event.summary.value]
    shown = [(event.step, event.summary.value[0].tag, event.summary.value[0].simple_value) for event in events]
    assert shown == [
        (1, "solve_rate", pytest.approx(0.1)),
        (2, "solve_rate", pytest.approx(0.2)),
        (5, "solve_rate", 0.5),
    ]


def test_without_tensorboard_the_lines_are_there(tmp_path, monkeypatch):
    monkeypatch.setattr(metrics.importlib.util, "find_spec", lambda name: None)
    Journal(tmp_path, steps=0).write({"steps": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
