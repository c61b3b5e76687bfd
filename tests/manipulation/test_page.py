"""The page about the tasks: its code runs, and its table is that of the families."""

import re
from pathlib import Path

import gymnasium
import pytest

from chunkenv.manipulation.families import FAMILY

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "manipulation.md").read_text()


def test_the_code_runs():
    pytest.importorskip("ogbench")
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    scope = {}
    for code in blocks:
        exec(compile(code, "manipulation.md", "exec"), scope)
    assert scope["facts"]["successes"].shape == (5,)


def test_the_table_is_that_of_the_families():
    rows = re.findall(r"^\| `(chunkenv/manip-(.*)-task<k>-v0)` \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
    assert [name for _, name, *_ in rows] == list(FAMILY)
    for name, family, limit, features in rows:
        assert (int(limit), int(features)) == (FAMILY[family].time_limit, FAMILY[family].features)
        assert gymnasium.spec(name.replace("<k>", "3")).max_episode_steps == int(limit)
