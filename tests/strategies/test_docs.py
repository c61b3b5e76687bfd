"""The page of the strategies names every one."""

from pathlib import Path

from chunkenv import strategies

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "strategies.md").read_text()


def test_every_strategy_is_in_the_table():
    kinds = [name for name, value in vars(strategies).items() if isinstance(value, type)]
    named = {name for name in kinds if issubclass(getattr(strategies, name), strategies.Strategy)} - {"Strategy"}
    assert {name for name in named if f"| `{name}` |" in PAGE} == named
