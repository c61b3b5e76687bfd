"""What the README shows, runs."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_there_are_three_examples():
    assert len(BLOCKS) == 3


@pytest.mark.parametrize("code", BLOCKS)
def test_the_examples_run(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_first_two_commands_are_one_line_each():
    commands = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert [command.count("\n") for command in commands] == [1, 1]
    assert all(".venv" in command for command in commands)


def test_every_folder_in_the_table_is_there():
    for name in re.findall(r"`(\S+/\S*)`", README.split("## What is where")[1]):
        assert (Path(__file__).parents[1] / name).exists(), name
