"""`--optimizer`, `--averaged` and `--learning-rate`, which every training has."""

import pytest
from typer.testing import CliRunner

from chunkenv.agents import load_flow_policy
from chunkenv.cli import train
from tests.data.making import LEVEL, small_dataset


def invoke(*words):
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(train.app, [str(word) for word in words])


@pytest.mark.no_cover
def test_a_policy_is_trained_by_splus_and_says_so(tmp_path):
    small_dataset(tmp_path / "data", lengths=(20, 30))
    command = ["flow", LEVEL, "--data", tmp_path / "data", "--updates", 4, "--out", tmp_path / "out"]
    result = invoke(*command, "--optimizer", "splus", "--no-averaged")
    assert result.exit_code == 0, result.output
    facts = load_flow_policy(tmp_path / "out" / LEVEL / "plain" / "seed0" / "policy.safetensors").facts
    assert (facts["optimizer"], facts["averaged"]) == ("splus", False)
    assert "--optimizer splus --no-averaged" in facts["command"]
    refused = invoke(*command)
    assert "learning_rate=0.1, not 0.015, and optimizer='splus', not" in str(refused.exception)


@pytest.mark.parametrize("command", ["flow", "ppo", "qc", "remac", "deflect", "model", "a2c2"])
def test_every_training_has_the_options(command):
    said = invoke(command, "--help").output
    for option in ("--optimizer", "--no-averaged", "--learning-rate"):
        assert option in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--optimizer", "adan"), "optimizer='adan'"),
        (("--learning-rate", "-1"), "learning_rate=-1.0"),
        (("--learning-rate", "fast"), "'fast' is not a finite number"),
    ],
)
def test_bad_input_is_one_sentence(words, said):
    result = invoke("ppo", "catapult", *words)
    assert result.exit_code != 0
    assert said in str(result.exception) + result.output
