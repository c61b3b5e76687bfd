import json

from tests.cli.data.calling import invoke
from tests.data.making import small_dataset


def test_check_says_that_a_dataset_is_sound_or_what_is_wrong(tmp_path):
    small_dataset(tmp_path)
    result = invoke("check", tmp_path)
    assert (result.exit_code, "is sound: 4 episodes, 11 transitions." in result.output) == (0, True)
    meta = json.loads((tmp_path / "meta.json").read_text())
    (tmp_path / "meta.json").write_text(json.dumps(meta | {"episodes": 5}))
    result = invoke("check", tmp_path)
    assert result.exit_code == 1
    assert result.output == "There are 4 episodes, but meta.json says 5.\n"


def test_check_plays_again_what_was_collected(finished, tmp_path):
    assert invoke("check", finished[0], "--replay", 3).exit_code == 0
    small_dataset(tmp_path)
    result = invoke("check", tmp_path, "--replay", 3)
    assert result.exit_code == 1
    assert "Episode 0 comes out otherwise: its observation differs in tick 0." in result.output
