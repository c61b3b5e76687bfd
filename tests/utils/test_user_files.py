import pickle
from pathlib import Path

import pytest

from chunkenv.errors import ArgumentError
from chunkenv.utils.user_files import MadeInFile, import_file

pytestmark = pytest.mark.usefixtures("clean_imports")


def written(folder, text, name="own_policy.py"):
    path = folder / name
    path.write_text(text)
    return path


def test_what_a_function_makes_is_made_where_it_is_called(tmp_path, monkeypatch):
    written(tmp_path, "VALUE = 7", "neighbour.py")
    written(tmp_path, "from neighbour import VALUE\ndef make(): return [VALUE]\n")
    monkeypatch.chdir(tmp_path)
    make = pickle.loads(pickle.dumps(MadeInFile(Path("own_policy.py:make"))))
    monkeypatch.chdir("/")
    assert (make(), make() is make()) == ([7], False)


@pytest.mark.parametrize(
    "place", ["missing.py:make", "own_policy.py", "own_policy.py:", "own_policy.txt:make", ".", ""]
)
def test_a_place_is_a_file_and_a_name(tmp_path, monkeypatch, place):
    written(tmp_path, "def make(): return 1")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=r"is not FILE.py:NAME, a Python file and a function in it; give both"):
        MadeInFile(Path(place))


@pytest.mark.parametrize("name", ["other", "VALUE"])
def test_a_name_that_is_no_function(tmp_path, name):
    path = written(tmp_path, "VALUE = 7")
    with pytest.raises(ArgumentError, match=f"own_policy.py has no function '{name}'; write one"):
        MadeInFile(Path(f"{path}:{name}"))()


def test_what_the_file_raises_is_passed_on(tmp_path):
    path = written(tmp_path, "def make(): return 1 / 0")
    with pytest.raises(ZeroDivisionError):
        MadeInFile(Path(f"{path}:make"))()


def test_a_file_with_the_name_of_another_module(tmp_path):
    with pytest.raises(ArgumentError, match="'json'; rename the file"):
        import_file(written(tmp_path, "", "json.py"))
