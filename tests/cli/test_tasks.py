from chunkenv.kinetix import LEVELS
from chunkenv.manipulation import FAMILIES
from tests.cli.calling import run


def test_tasks_are_listed_in_full():
    output = run("tasks", COLUMNS="80").stdout
    for level in LEVELS:
        assert f"chunkenv/kinetix-{level}-v0" in output
    assert "Box[679]" in output
    assert "1/30 s" in output
    for family in FAMILIES:
        assert f"chunkenv/manip-{family}-v0" in output
        assert f"chunkenv/manip-{family}-task1..5-v0" in output
    assert "Box[115]" in output
    assert "1/20 s" in output
    assert max(map(len, output.splitlines())) <= 80
