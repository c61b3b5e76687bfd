"""What docs/sb3.md shows, runs."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "sb3.md").read_text()


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_the_code_on_the_page_runs(code):
    exec(compile(code, "docs/sb3.md", "exec"), {})
