import pytest

from chunkenv.data import load
from tests.cli.data.calling import invoke
from tests.data.making import same, small_dataset


def test_there_and_back_by_minari(tmp_path, monkeypatch):
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    dataset = small_dataset(tmp_path / "a")
    assert invoke("export", tmp_path / "a", "mine-v0").output == "mine-v0: 4 episodes, 11 transitions.\n"
    assert "4 episodes, 11 transitions." in invoke("import", "mine-v0", tmp_path / "b").output
    assert same(load(tmp_path / "b"), dataset)
