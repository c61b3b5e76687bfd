import re

import pytest

from tests.cli.data.calling import invoke


def test_info_shows_how_actions_are_used(finished):
    result = invoke("info", finished[0])
    assert "answer the same" in result.output
    assert result.exit_code == 0
    assert re.search(r"level +chain_lander", result.output)
    assert len(re.findall(r"^[0-5] +-?\d\.\d{3}", result.output, re.MULTILINE)) == 6
    assert "two peaks" in result.output


def test_the_oracles_episodes_and_what_they_cover(tmp_path):
    pytest.importorskip("ogbench")
    folder = str(tmp_path / "data")
    made = invoke(
        "collect", "chunkenv/manip-cube-single-task1-v0", "--style", "task", "--episodes", "2", "--out", folder
    )
    assert made.exit_code == 0
    told = invoke("info", folder)
    assert "--style task" in told.output
    assert "all at once" in told.output
    assert "cubes on the table" in told.output
    assert "episodes begin differently" in told.output
