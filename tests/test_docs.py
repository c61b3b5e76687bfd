"""The Python on some pages of the documentation runs."""

import re
from pathlib import Path

import pytest

PAGES = ("pictures.md", "faults.md", "flow.md", "oracles.md")


@pytest.mark.parametrize("page", PAGES)
def test_the_code_runs(page, capsys):
    text = (Path(__file__).parents[1] / "docs" / page).read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    for code in blocks:
        scope = {"__name__": "__main__"}
        exec(compile(code, page, "exec"), scope)
    assert "failed" not in capsys.readouterr().out
    if page == "pictures.md":
        assert len(scope["frames"]) == 13
        assert {frame.shape for frame in scope["frames"]} == {(558, 500, 3)}
