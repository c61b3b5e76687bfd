import pytest
from typer.testing import CliRunner

from chunkenv.agents import load_learned_model
from chunkenv.cli.app import app
from tests.data.making import LEVEL, small_dataset


def invoke(*words):
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, ["train", "model", *map(str, words)])


@pytest.fixture
def data(tmp_path):
    small_dataset(tmp_path / "data", lengths=(20, 30))
    return tmp_path / "data"


@pytest.mark.slow
def test_it_trains_goes_on_and_says_where_the_model_is(data, tmp_path):
    words = [LEVEL, "--data", data, "--out", tmp_path / "out", "--updates", "100"]
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    assert "model.safetensors" in result.output
    model = load_learned_model(tmp_path / "out" / LEVEL / "seed0" / "model.safetensors")
    assert (model.level, model.facts["updates"], model.facts["data"]["transitions"]) == (LEVEL, 100, 50)
    again = invoke(*words)
    assert "goes on from 100 of 100 updates" in again.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["catapult"], "has demonstrations of 'chain_lander', not of 'catapult'"),
        ([LEVEL, "--updates", "0"], "updates=0 is too small"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(data, tmp_path, words, message):
    result = invoke(*words, "--data", data, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "out").exists()
