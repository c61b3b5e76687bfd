"""The study on the page about studies runs, and the page says what is so."""

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chunkenv.bench.analysis import intervals as stats
from chunkenv.bench.store.columns import decision_name
from chunkenv.bench.store.study_store import Store
from chunkenv.cli.bench import app
from chunkenv.evaluate import DECISION, MEASURES

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "studies.md").read_text()


@pytest.fixture
def page_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    name = re.match(r"# (\w+\.py)\n", code)[1]
    Path(name).write_text(code)
    yield name
    sys.modules.pop(Path(name).stem, None)


def test_the_study_and_its_commands_run(page_study):
    commands = re.findall(
        r"^    chunkenv bench (.*?)(?: +#.*)?$", PAGE.split("## What a study may say")[0], re.MULTILINE
    )
    assert [command.split()[0] for command in commands] == ["run", "status", "report", "export"]
    for command in commands:
        words = command.split() + ["--episodes", "1", "--workers", "1"] * command.startswith("run")
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
    with Store(Path("results/late-cartpole/episodes.sqlite")) as store:
        assert len(store.rows()) == 10
        assert store.runs()[0]["command"] == f"chunkenv bench run {page_study} --episodes 1"


def test_every_measure_and_statistic_is_explained():
    assert all(f"`{name}`" in PAGE for name in MEASURES)
    assert all(f"| `{decision_name(name)}` | `{name}` |" in PAGE for name in DECISION)
    named = re.findall(r"^\| `(\w+)` \|", PAGE.split("## Numbers")[1], re.MULTILINE)
    assert named
    assert all(callable(getattr(stats, name)) for name in named)


def test_files_on_the_page_are_there():
    for name in re.findall(r"`((?:chunkenv|tests)/[\w/.]+)`", PAGE):
        assert (Path(__file__).parents[2] / name).exists(), name
