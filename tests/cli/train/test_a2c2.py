import pytest
from typer.testing import CliRunner

from chunkenv.agents import load_correction_head
from chunkenv.agents.policies.expert_checkpoints import checkpoint_path, save_expert
from chunkenv.agents.pretrained import add_pretrained
from chunkenv.cli.app import app
from tests.agents.experts import random_expert
from tests.agents.policies.test_flow_policy import policy

LEVEL = "catapult"
SHORT = ["--transitions", "300", "--updates", "100", "--hidden", "8,8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A family of one policy, and two experts."""
    folder = tmp_path_factory.mktemp("a2c2")
    add_pretrained(policy(), {"solve_rate": 0.5}, folder / "family")
    for steps, rate in ((100, 0.9), (200, 0.5)):
        expert = random_expert(LEVEL, seed=steps, steps=steps, solve_rate=rate)
        save_expert(checkpoint_path(folder / "experts" / "seed0", steps), expert, {})
    return folder


def invoke(folder, *words, out="out"):
    given = [LEVEL, "--policies", folder / "family", "--out", folder / out, *SHORT, *words]
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, ["train", "a2c2", *map(str, given)])


def test_it_trains_on_the_best_expert_and_says_where_the_head_is(folder):
    result = invoke(folder, "--expert", folder / "experts")
    assert result.exit_code == 0, result.output
    path = folder / "out" / LEVEL / "expert" / "seed0" / "head.safetensors"
    assert str(path) in result.output
    head = load_correction_head(path)
    assert (head.level, head.label, head.facts["updates"]) == (LEVEL, "expert", 100)
    assert head.facts["expert"]["name"] == "seed0/step100"
    assert head.facts["policy"]["name"] == "family/catapult-plain"
    assert head.facts["data"]["transitions"] >= 300
    assert f"mean squared error of the planned actions: {head.facts['uncorrected']:.4f}" in result.output


def test_no_expert_is_needed_and_the_same_command_gives_the_same_bytes(folder):
    heads = []
    for out in ("one", "two", "two"):
        result = invoke(folder, "--label", "policy", out=out)
        assert result.exit_code == 0, result.output
        heads.append((folder / out / LEVEL / "policy" / "seed0" / "head.safetensors").read_bytes())
    assert "goes on from 100 of 100 updates" in result.output
    assert heads[0] == heads[1] == heads[2]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Give either --expert PATH or --label policy; it is neither now."),
        (["--label", "policy", "--expert", "x"], "it is --label policy and --expert now."),
        (["--label", "exprt"], "it is --label exprt now."),
        (["--expert", "nowhere"], "nowhere"),
        (["--label", "policy", "--hidden", "0"], "hidden='0' are no widths"),
        (["--label", "policy", "--policies", "nowhere"], "nor a folder with a manifest.json"),
    ],
)
def test_mistakes_are_told_in_a_sentence(folder, words, sentence):
    result = invoke(folder, *words, out="none")
    assert result.exit_code == 2
    assert sentence in result.output
    assert not (folder / "none").exists()
