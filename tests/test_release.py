"""What a release needs: one version everywhere, pinned actions, a lock that fits, and what the pages promise."""

import collections
import csv
import importlib.metadata
import re
import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CHECK = runpy.run_path(str(ROOT / ".ci" / "release_check.py"))
RELEASE = {"tag": "v1.2.0", "repository": "someone/chunkenv"}
GOOD = {
    "chunkenv/__init__.py": '__version__ = "1.2.0"\n',
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2030-01-31\n- A.\n\n## [1.1.0] - 2029-01-01\n",
    "CITATION.cff": "version: 1.2.0\ndate-released: 2030-01-31\nrepository-code: https://github.com/someone/chunkenv\n",
    "pyproject.toml": '[project.urls]\nSource = "https://github.com/someone/chunkenv"\n',
}
WRONG = {
    "a tag of another version": ({}, {"tag": "v1.2.1"}, "The tag is v1.2.1, the package 1.2.0"),
    "a tag without v": ({}, {"tag": "1.2.0"}, "expected the tag v1.2.0"),
    "a fork": ({}, {"repository": "other/chunkenv"}, "does not lie in https://github.com/other/chunkenv"),
    "a name that begins alike": (
        {},
        {"repository": "someone/chunk"},
        "does not lie in https://github.com/someone/chunk,",
    ),
    "another version cited": ({"CITATION.cff": ("1.2.0", "1.1.0")}, {}, "CITATION.cff says version 1.1.0"),
    "another date cited": ({"CITATION.cff": ("01-31", "02-01")}, {}, "CITATION.cff 2030-02-01"),
    "no date": ({"CHANGELOG.md": (" - 2030-01-31", "")}, {}, "CHANGELOG.md dates 1.2.0 None"),
    "no section": ({"CHANGELOG.md": ("## [1.2.0] - 2030-01-31\n", "")}, {}, "## [1.2.0] - YYYY-MM-DD"),
    "an older section first": ({"CHANGELOG.md": ("[1.2.0]", "[1.0.0]")}, {}, "## [1.2.0] - YYYY-MM-DD"),
    "lines that are left": (
        {"CHANGELOG.md": ("[Unreleased]\n", "[Unreleased]\n- B.\n")},
        {},
        "left under [Unreleased]",
    ),
    "another version in the package": ({"chunkenv/__init__.py": ("1.2.0", "1.3.0")}, {}, "the package 1.3.0"),
}


def project(folder, changes):
    """A small repository, with one text in a file replaced by another."""
    for name, text in GOOD.items():
        before, after = changes.get(name, ("", ""))
        assert before in text
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text.replace(before, after) if before else text)
    return folder


def test_a_release_that_agrees_passes(tmp_path):
    files = [tmp_path / "chunkenv-1.2.0-py3-none-any.whl", tmp_path / "chunkenv-1.2.0.tar.gz"]
    for file in files:
        file.write_bytes(b"")
    assert CHECK["mistakes"](project(tmp_path, {}), files=files, **RELEASE) == []


@pytest.mark.parametrize(("changes", "arguments", "sentence"), WRONG.values(), ids=WRONG)
def test_a_release_that_does_not_agree_is_refused_with_a_sentence(tmp_path, changes, arguments, sentence):
    found = CHECK["mistakes"](project(tmp_path, changes), **RELEASE | arguments)
    assert sentence in "\n".join(found)


def test_files_of_another_version_and_large_wheels_are_refused(tmp_path):
    wheel = tmp_path / "chunkenv-1.1.0-py3-none-any.whl"
    with wheel.open("wb") as file:
        file.truncate(CHECK["LARGEST_WHEEL"] + 1)
    other_files, too_large = CHECK["check_files"]([wheel], "1.2.0")
    assert "chunkenv-1.2.0.tar.gz" in other_files
    assert "25,000,001 bytes" in too_large


def test_this_repository_agrees():
    assert CHECK["mistakes"](ROOT) == []


def test_the_address_of_the_repository_is_the_same_everywhere():
    source = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]
    assert CHECK["check_repository"](ROOT, source.removeprefix("https://github.com/")) == []
    for page in ("SECURITY.md", "RELEASING.md"):
        assert source in (ROOT / page).read_text()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_hash_and_say_their_version(workflow):
    used = re.findall(r"uses: (.+)", workflow.read_text())
    others = [line for line in used if not line.startswith("./")]
    assert others
    assert not [line for line in others if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)]


def test_no_file_is_installed_by_two_distributions_with_different_contents():
    """As pygame and pygame-ce would: each overwrites what the other one needs."""
    contents = collections.defaultdict(set)
    for distribution in importlib.metadata.distributions():
        for file, digest, _ in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
            contents[file].add(digest)
    assert len(contents) > 100
    assert not {file for file, digests in contents.items() if len(digests - {""}) > 1}


def test_public_rooms_are_listed():
    (page,) = (path.read_text() for path in (ROOT / "docs").rglob("stability.md"))
    public = page[page.index("**Names**") : page.index("**Ids**")]
    listed = set(re.findall(r"`(chunkenv[\w.]*)`", public))
    for room in listed:
        assert ROOT.joinpath(*room.split("."), "__init__.py").exists(), room
    tops = {path.parent.name for path in (ROOT / "chunkenv").glob("*/__init__.py")}
    assert {room.split(".")[1] for room in listed if "." in room} == tops - {"cli", "utils"}
    shown = "".join(path.read_text() for path in [*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.py")])
    unlisted = set(re.findall(r"^\s*from (chunkenv[\w.]*) import", shown, re.MULTILINE)) - listed
    assert not unlisted, "name them in docs/reference/stability.md"
