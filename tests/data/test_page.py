"""The Python on the page about data runs."""

import re
from pathlib import Path


def test_the_code_runs(capsys):
    text = (Path(__file__).parents[2] / "docs" / "howto" / "data.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    for code in blocks:
        exec(compile(code, "data.md", "exec"), {"__name__": "__main__"})
    shapes, experts = capsys.readouterr().out.splitlines()
    assert shapes.startswith("(64, 42) (64, 8, 6) 0.")
    assert experts.startswith("[False False False] [{'name': 'expert0'")
