import pytest
from typer.testing import CliRunner

from chunkenv.agents import load_flow_policy
from chunkenv.agents.pretrained import add_pretrained
from chunkenv.cli.app import app
from tests.data.making import LEVEL, small_dataset

SHORT = ["--updates", "4"]


def train(command, *words):
    result = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, ["train", command, *map(str, words)])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data, and policies of both kinds: files, and a family."""
    folder = tmp_path_factory.mktemp("tuning")
    small_dataset(folder / "data", lengths=(20, 30))
    for words in ([], ["--prefix-conditioned", "--intended-prefix", "--max-prefix", "2"]):
        train("flow", LEVEL, "--data", folder / "data", "--out", folder / "flow", *words, *SHORT)
    for kind in ("plain", "prefix"):
        add_pretrained(load_flow_policy(policy_in(folder / "flow", kind)), {}, folder / "family")
    return folder


def policy_in(folder, kind):
    return folder / LEVEL / kind / "seed0" / "policy.safetensors"


@pytest.mark.parametrize(("command", "begun", "longest"), [("remac", "plain", 4), ("deflect", "prefix", 2)])
def test_a_policy_is_tuned_and_says_what_it_began_as(folder, tmp_path, command, begun, longest):
    start = policy_in(folder / "flow", begun)
    words = [LEVEL, "--data", folder / "data", "--start-from", start, "--out", tmp_path, *SHORT]
    assert "policy.safetensors" in train(command, *words).output
    policy, before = load_flow_policy(policy_in(tmp_path, command)), load_flow_policy(start)
    assert (policy.level, policy.max_prefix, policy.prefix_conditioned) == (LEVEL, longest, True)
    assert policy.facts["start"]["command"] == before.facts["command"]
    name = "head/out/kernel"
    assert (policy.flow.weights[name] != before.flow.weights[name]).any()


def test_it_may_begin_with_a_policy_of_a_family(folder, tmp_path):
    train("remac", LEVEL, "--data", folder / "data", "--start-from", folder / "family", "--out", tmp_path, *SHORT)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--start-from", "nowhere"], "policies='nowhere' is neither"),
        (["--start-from", "nowhere.safetensors"], "There is no chunkenv flow policy nowhere.safetensors"),
        (["--preference", "-1"], "preference=-1.0 is not a finite number"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(folder, tmp_path, words, message):
    given = ["train", "deflect", LEVEL, "--data", folder / "data", "--out", tmp_path / "out"]
    given += ["--start-from", policy_in(folder / "flow", "prefix"), *words]
    result = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, list(map(str, given)))
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "out").exists()
