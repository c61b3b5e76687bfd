from concurrent.futures import ThreadPoolExecutor

import pytest

from chunkenv.errors import ArgumentError
from chunkenv.training.loop import train
from chunkenv.training.sweep import train_once
from tests.training.counting import Counting, outcome


def test_a_training_is_made_once(tmp_path):
    first = train_once(Counting, tmp_path)
    written = (tmp_path / "resume.safetensors").stat().st_mtime_ns
    again = train_once(Counting, tmp_path)
    assert (again.sum == first.sum).all()
    assert (tmp_path / "resume.safetensors").stat().st_mtime_ns == written


def test_an_interrupted_training_goes_on(tmp_path):
    train_once(Counting, tmp_path / "whole")
    for metrics in train(Counting(), tmp_path / "broken"):
        if metrics["steps"] == 12:
            break
    train_once(Counting, tmp_path / "broken")
    assert outcome(tmp_path / "broken") == outcome(tmp_path / "whole")


def test_those_who_need_the_same_training_at_once_wait_for_it(tmp_path):
    made = []

    def make():
        made.append(Counting(total=500))
        return made[-1]

    with ThreadPoolExecutor(4) as pool:
        done = [each.result() for each in [pool.submit(train_once, make, tmp_path) for _ in range(4)]]
    assert [training.steps for training in done] == [500] * 4
    assert len(outcome(tmp_path)[0]) == 250


def test_the_folder_of_another_training_is_refused(tmp_path):
    train_once(Counting, tmp_path)
    with pytest.raises(ArgumentError, match="was begun with seed=0, not 1"):
        train_once(lambda: Counting(seed=1), tmp_path)
