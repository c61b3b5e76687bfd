"""What the README shows, runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_it_is_short_and_has_an_example():
    assert len(README.splitlines()) <= 120
    assert len(BLOCKS) == 1


@pytest.mark.parametrize("code", BLOCKS)
def test_the_examples_run(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_first_two_commands_are_one_line_each():
    commands = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert [command.count("\n") for command in commands] == [1, 1]
    assert all(".venv" in command for command in commands)


def test_every_folder_in_the_table_is_there():
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    table = page.split("## What is where")[1].split("\n## ")[0]
    names = re.findall(r"^\| `(\S+/\S*)`", table, re.MULTILINE)
    assert len(names) > 20
    for name in names:
        assert (ROOT / name).exists(), name
