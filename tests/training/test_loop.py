import pytest

from chunkenv.errors import ArgumentError
from chunkenv.training import loop
from chunkenv.training.loop import resume, save_state, train
from tests.training.counting import Counting, outcome


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return list(train(Counting(), folder)), outcome(folder)


def test_lines_are_written_and_evaluations_made_when_they_are_due(whole):
    rounds, (lines, _) = whole
    assert [metrics["steps"] for metrics in rounds] == list(range(1, 21))
    assert [line["steps"] for line in lines] == list(range(2, 21, 2))
    assert [metrics["steps"] for metrics in rounds if "evaluated" in metrics] == [5, 10, 15, 20]


@pytest.mark.parametrize("stop", [1, 5, 7, 10, 19])
def test_a_training_that_was_broken_off_ends_the_same(whole, tmp_path, stop):
    for metrics in train(Counting(), tmp_path):
        if metrics["steps"] == stop:
            break
    resumed = resume(Counting(), tmp_path)
    assert resumed.steps == stop // 5 * 5
    list(train(resumed, tmp_path))
    assert outcome(tmp_path) == whole[1]


@pytest.mark.parametrize("function", ["write_results", "state", "evaluate"])
@pytest.mark.parametrize("call", [1, 3, 4])
def test_a_training_that_broke_anywhere_ends_the_same(whole, tmp_path, monkeypatch, function, call):
    calls, original = [], getattr(Counting, function)

    def breaks(self, *arguments):
        calls.append(function)
        if len(calls) == call:
            raise KeyboardInterrupt
        return original(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Counting, function, breaks)
        with pytest.raises(KeyboardInterrupt):
            list(train(Counting(), tmp_path))
    list(train(resume(Counting(), tmp_path), tmp_path))
    assert outcome(tmp_path) == whole[1]


def test_results_are_there_before_the_state_says_that_all_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "save_state", lambda training, path: seen.append((path.parent / "result.txt").exists()))
    seen = []
    list(train(Counting(total=1), tmp_path))
    assert seen == [True]


def test_another_training_is_refused_by_what_differs(tmp_path):
    list(train(Counting(), tmp_path))
    with pytest.raises(
        ArgumentError, match=r"resume.safetensors was begun with total=20, not 21, and seed=0, not 1; give the same, or"
    ):
        resume(Counting(total=21, seed=1), tmp_path)


def test_the_file_of_another_kind_is_refused(tmp_path):
    class Other(Counting):
        kind = "chunkenv other"

    save_state(Other(), tmp_path / loop.RESUME)
    with pytest.raises(ArgumentError, match="is no chunkenv counting but chunkenv other"):
        resume(Counting(), tmp_path)
