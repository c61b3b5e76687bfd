from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from chunkenv.agents import load_agent
from chunkenv.cli.train.infom import infom
from chunkenv.errors import ArgumentError
from tests.data.making import small_dataset
from tests.training.test_offline_online import data

app = typer.Typer()
app.command()(infom)

WALK = "chunkenv-test/walk-v0"
QUICK = ["--hidden", "8", "--latent", "2", "--futures", "1", "--steps", "1", "--episodes", "1", "--chunk", "2"]


@pytest.fixture
def folder(tmp_path):
    data(tmp_path / "data")
    return tmp_path


@pytest.mark.slow
def test_it_trains_in_two_phases_goes_on_and_says_where_the_agent_is(folder):
    steps = ["--pretraining-steps", "10", "--finetuning-steps", "10", "--evaluate-every", "10", "--labelled", "20"]
    words = [WALK, "--data", str(folder / "data"), *QUICK, *steps, "--out", str(folder / "out")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    path = folder / "out" / "walk-v0" / "seed0" / "agent.safetensors"
    assert load_agent(path).name == "infom"
    assert f"watch  chunkenv play {WALK} --agent {path}" in result.output
    assert "20 updates, " in result.output
    assert "goes on from 20 of 20 updates" in CliRunner().invoke(app, words).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--labelled", "100000"], "transitions=100000, but the data have"),
        (["--labelled", "0"], "transitions=0 is too small"),
        (["--discount", "1"], "discount=1.0 has no future states"),
        (["--expectile", "2"], "expectile=2.0"),
        (["--pretraining-steps", "0", "--finetuning-steps", "0"], "nothing to be done"),
        (["--chunk", "2", "--delay", "3"], "delay=3 is more than chunk=2"),
    ],
)
def test_one_sentence_for_what_cannot_be_meant(folder, words, said):
    result = CliRunner().invoke(app, [WALK, "--data", str(folder / "data"), *words, "--out", str(folder / "out")])
    assert isinstance(result.exception, ArgumentError)
    assert said in str(result.exception)


def test_data_of_another_task_are_refused(tmp_path):
    small_dataset(tmp_path / "data", lengths=(20, 30))
    words = ["catapult", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, ArgumentError)
    assert "has data of chunkenv/kinetix-chain_lander-v0, not of chunkenv/kinetix-catapult-v0" in str(result.exception)
