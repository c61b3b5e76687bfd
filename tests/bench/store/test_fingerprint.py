import functools
import shutil
import sys

import pytest
from fake_study import block_study, fake_study

from chunkenv.bench.store import fingerprint
from chunkenv.bench.studies.delay_study import delay_study

MODULES = sorted(fingerprint.PACKAGE.rglob("*.py"))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with code, levels, weights, and what shows rows only."""
    for name in ("clock/cycle.py", "kinetix/levels/a.toml", "agents/pretrained/a.xz",
                 "agents/pretrained/manifest.json", "bench/studies/delay_study.py", "bench/store.py", "cli/app.py",
                 "training/loop.py", "latency/recordings/a.txt", "notes.txt"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"one\n")
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path)
    return tmp_path


def code():
    return fingerprint.code.__wrapped__()


DECIDES = [
    "clock/cycle.py",
    "kinetix/levels/a.toml",
    "agents/pretrained/a.xz",
    "agents/pretrained/manifest.json",
    "bench/studies/delay_study.py",
    "latency/recordings/a.txt",
]


@pytest.mark.parametrize("name", DECIDES)
def test_what_decides_rows_changes_the_fingerprint(package, name):
    before = code()
    (package / name).write_bytes(b"two\n")
    assert code() != before
    (package / name).unlink()
    assert code() != before


@pytest.mark.parametrize("name", ["bench/store.py", "cli/app.py", "notes.txt"])
def test_what_shows_rows_does_not(package, name):
    before = code()
    (package / name).write_bytes(b"two\n")
    assert code() == before


def test_line_endings_count_in_weights_only(package):
    before = code()
    (package / "clock/cycle.py").write_bytes(b"one\r\n")
    assert code() == before
    (package / "agents/pretrained/a.xz").write_bytes(b"one\r\n")
    assert code() != before


def test_every_module_is_listed_as_deciding_rows_or_not_and_nothing_is_listed_in_vain():
    entries = [*fingerprint.DECIDES, *fingerprint.DECIDES_IF_IMPORTED, *fingerprint.DECIDES_NOTHING]
    assert len(set(entries)) == len(entries)
    assert [path for path in MODULES if not fingerprint.entry_of(path)] == []
    assert {fingerprint.entry_of(path) for path in MODULES} == set(entries)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the files that are edited below: reading all of the package again and again takes long."""
    folder = tmp_path / "chunkenv"
    for name in ("training/loop.py", *(name for name, *_ in EDITS.values())):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fingerprint.PACKAGE / name, folder / name)
    monkeypatch.setattr(fingerprint, "PACKAGE", folder)
    return folder


EDITS = {
    "a docstring of the command line": ("cli/app.py", '"""', '"""Edited. ', True),
    "a docstring of the room for SB3": ("sb3/__init__.py", '"""', '"""Edited. ', True),
    "a docstring of the engine": ("kinetix/engine/simulator.py", '"""', '"""Edited. ', True),
    "a comment in the clock": ("clock/cycle.py", "\n\n\n", "\n\n\n# edited\n", True),
    "the table of a report": ("bench/report/tables.py", "\n\n\n", "\n\n\nEDITED = 1\n", True),
    "the room for SB3": ("sb3/native.py", "\n\n\n", "\n\n\nEDITED = 1\n", True),
    "the engine": ("kinetix/engine/simulator.py", "\n\n\n", "\n\n\nEDITED = 1\n", False),
    "a strategy": ("strategies/naive.py", "\n\n\n", "\n\n\nEDITED = 1\n", False),
    "a wrapper": ("wrappers/underrun.py", "\n\n\n", "\n\n\nEDITED = 1\n", False),
    "a level": ("kinetix/levels/catapult.toml", "1", "2", False),
    "the manifest of the weights": ("agents/pretrained/smooth/manifest.json", "1", "2", False),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edits_of_what_decides_nothing_let_a_study_go_on(copy, edit):
    name, old, new, goes_on = EDITS[edit]
    before = code()
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1))
    assert (code() == before) is goes_on


def test_studies_of_the_package_have_no_file_of_their_own():
    assert fingerprint.study_code(delay_study(tasks=["catapult"])) == {}


def test_studies_elsewhere_have_the_files_of_their_functions():
    assert fingerprint.study_code(fake_study()) == fingerprint.study_code(block_study())
    assert fingerprint.study_code(block_study(play=functools.partial(block_study().play)))["study"]
    other = fingerprint.study_code(fake_study(make_policy=code))
    assert other.keys() == {"study"}
    assert other != fingerprint.study_code(fake_study())


class Player:
    def __call__(self, cell, episodes, seed):
        return []


@functools.cache
def cached(cell, episodes, seed):
    return []


@functools.wraps(cached)
def decorated(*arguments):
    return cached(*arguments)


@pytest.mark.parametrize("play", [Player(), Player().__call__, Player, cached, decorated, functools.partial(cached)])
def test_objects_and_decorated_functions_have_a_file_too(play):
    assert fingerprint.study_code(block_study(play=play)) == fingerprint.study_code(block_study(play=code))


def test_functions_that_were_typed_in_have_no_file():
    scope = {}
    exec("def play(cell, episodes, seed): return []", scope)
    assert fingerprint.study_code(block_study(play=scope["play"])) == {}


OWN = {
    "own_study_here.py": "from near import help\nimport tools.inner\n\ndef play(cell, episodes, seed): return []\n",
    "near.py": "def help():\n    import far\n",
    "far.py": "one = 1\n",
    "tools/__init__.py": "",
    "tools/inner.py": "from . import outer\n",
    "tools/outer.py": "one = 1\n",
    "beside.py": "one = 1\n",
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder with a study's file, what it imports, and what it does not; and the study's fingerprint, made anew."""
    for name, text in OWN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import own_study_here

    yield tmp_path, lambda: fingerprint.study_code(block_study(play=own_study_here.play))
    for name in ("own_study_here", "near", "tools", "tools.inner", "tools.outer"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["near.py", "far.py", "tools/__init__.py", "tools/inner.py", "tools/outer.py"])
def test_what_a_studys_file_imports_from_its_folder_counts(own, name):
    folder, study_code = own
    before = study_code()
    (folder / name).write_text('"""A helper."""\n' + OWN[name] + "# edited\n")
    assert study_code() == before
    (folder / name).write_text(OWN[name] + "edited = 1\n")
    assert study_code() != before


def test_what_it_does_not_import_does_not(own):
    folder, study_code = own
    before = study_code()
    (folder / "beside.py").write_text("edited = 1\n")
    assert study_code() == before


def test_some_rooms_count_where_a_study_imports_them(own, copy):
    folder, study_code = own
    loop = copy / "training" / "loop.py"
    before, text = study_code(), loop.read_text()
    loop.write_text(text + "EDITED = 1\n")
    assert study_code() == before
    (folder / "far.py").write_text("from chunkenv.training import loop\n")
    before = study_code()
    loop.write_text(text + "EDITED = 2\n")
    assert study_code() != before
