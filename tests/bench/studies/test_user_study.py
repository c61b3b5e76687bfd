import pytest

from chunkenv.bench.run.block_queue import StudyError
from chunkenv.bench.studies.user_study import load_study
from chunkenv.bench.study import Study
from chunkenv.errors import ArgumentError

STUDY = """
from chunkenv.bench.study import Cell, Study
from chunkenv.evaluate import episode_seed

def play(cell, episodes, seed):
    row = {"ticks": 1, "return": 0.5, "underruns": 0, "decisions": 1}
    return [row | {"seed": episode_seed(seed, episode)} for episode in episodes]

study = Study("mine", (Cell("a", "b", 0, 1, 1),), play=play, episodes=2, seed=0)
"""


pytestmark = pytest.mark.usefixtures("clean_imports")


def written(tmp_path, text, name="own_study.py"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("end", ["", "\nmake = study\ndel study\ndef make_study(): return make\n"])
def test_a_file_has_a_study_or_makes_one(tmp_path, end):
    study = load_study(written(tmp_path, STUDY + end))
    assert isinstance(study, Study)
    assert (study.name, study.play.__module__) == ("mine", "own_study")


def test_one_of_several_studies_is_chosen_by_its_name(tmp_path):
    path = written(tmp_path, STUDY + "\ndef other(): return study\n")
    assert load_study(tmp_path / f"{path.name}:other").name == "mine"
    with pytest.raises(ArgumentError, match=r"own_study\.py has no study: `missing` is None; make it a"):
        load_study(tmp_path / f"{path.name}:missing")


def test_a_file_may_import_its_neighbours(tmp_path):
    written(tmp_path, STUDY, "neighbour.py")
    assert load_study(written(tmp_path, "from neighbour import study")).play.__module__ == "neighbour"


BAD = {
    "no file": (lambda path: path / "missing.py", "missing.py is no Python file"),
    "a folder": (lambda path: path, "is no Python file"),
    "another kind of file": (lambda path: written(path, STUDY, "study.txt"), "study.txt is no Python file"),
    "no study": (lambda path: written(path, "x = 1"), "has no study: `study` is None; make it a"),
    "another study": (lambda path: written(path, "study = [1, 2]"), r"`study` is \[1, 2\]; make it a"),
    "nothing made": (lambda path: written(path, "def make_study(): pass"), r"make_study\(\) returns None"),
    "a name with a dash": (lambda path: written(path, STUDY, "my-study.py"), "my-study.py cannot be imported by its"),
    "the name of another module": (lambda path: written(path, STUDY, "json.py"), "'json'; rename the file"),
    "the name of a built-in module": (lambda path: written(path, STUDY, "time.py"), "'time'; rename the file"),
    "cells twice": (lambda path: written(path, STUDY.replace("1),)", "1),) * 2")), "names a cell twice"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files(tmp_path, case):
    make, sentence = BAD[case]
    with pytest.raises(ArgumentError, match=sentence):
        load_study(make(tmp_path))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import nothing_like_it", "ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("study = (", "SyntaxError"),
        ("def make_study(): return 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_fails_says_where(tmp_path, text, sentence):
    with pytest.raises(StudyError, match=rf"own_study.py failed: {sentence}") as caught:
        load_study(written(tmp_path, text))
    assert "Traceback" in caught.value.traceback
