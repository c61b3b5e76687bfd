"""The Python on docs/howto/realtime.md runs."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "realtime.md"


def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    scope = {"__name__": "__main__"}
    for code in blocks:
        exec(compile(code, PAGE.name, "exec"), scope)
    assert len(blocks) == 3
    assert [row["ticks"] for row in scope["rows"]] == [row["return"] for row in scope["rows"]]
    assert scope["loop"].trace[1].delay_ticks == 2
