"""What docs/howto/vector.md shows, runs."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "vector.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_there_are_five_examples():
    assert len(BLOCKS) == 5


@pytest.mark.parametrize("code", BLOCKS)
def test_the_examples_run(code):
    exec(compile(code, "vector.md", "exec"), {})
