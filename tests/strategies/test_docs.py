"""The Python on the page about strategies runs, and the page names every strategy."""

import re
from pathlib import Path

from chunkenv import strategies

PAGE = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text()


def test_the_code_runs(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for code in blocks:
        exec(compile(code, "strategies.md", "exec"), {"__name__": "__main__"})
    assert "0.8" in capsys.readouterr().out


def test_every_strategy_is_in_the_table():
    kinds = [name for name, value in vars(strategies).items() if isinstance(value, type)]
    named = {name for name in kinds if issubclass(getattr(strategies, name), strategies.Strategy)} - {"Strategy"}
    assert {name for name in named if f"| `{name}` |" in PAGE} == named
