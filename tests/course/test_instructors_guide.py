"""The scores of common mistakes on docs/howto/instructors.md are those that tests hold."""

import re
from importlib import import_module
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "instructors.md").read_text(encoding="utf-8")
MODULES = {"1": "test_delay_assignment", "2": "test_chunk_values", "3": "test_random_delay", "4": "test_asynchronous"}


def test_every_mistake_on_the_page_is_tested_with_that_score():
    rows = re.findall(r"^\| (\d) \| ([^|]+) \| (\d+) \| [^|]+ \|$", PAGE, re.MULTILINE)
    assert len(rows) >= 15
    for number, name, score in rows:
        mistakes = import_module(f"tests.course.{MODULES[number]}").MISTAKES
        assert mistakes[name][2] == int(score), f"assignment {number}: {name}"
