import json
import re

import pytest
import typer
from typer.testing import CliRunner

import chunkenv.collect as collection
from chunkenv.agents.policies.expert_checkpoints import save_expert
from chunkenv.cli.data import app
from chunkenv.cli.data.dataset_options import DATASETS
from chunkenv.data import load
from chunkenv.data.dataset_files import DataError
from chunkenv.errors import ArgumentError
from tests.agents.experts import random_expert
from tests.data.making import LEVEL, same, small_dataset

RATES = {("seed0", 9): 0.7, ("seed0", 10): 0.9, ("seed1", 5): 0.6}


def invoke(*words):
    return CliRunner(env={"COLUMNS": "120", "TERM": "dumb"}).invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def experts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experts")
    for number, ((run, steps), rate) in enumerate(RATES.items()):
        path = folder / LEVEL / run / f"step{steps}.safetensors"
        save_expert(path, random_expert(LEVEL, number, steps, rate), {})
    (folder / LEVEL / "seed0" / "resume.safetensors").write_bytes(b"no expert")
    return folder


@pytest.fixture(scope="module")
def finished(experts, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    words = ("collect", f"chunkenv/kinetix-{LEVEL}-v0", "--experts", experts, "--episodes", 8, "--workers", 1)
    return out, invoke(*words, "--out", out)


def test_collecting_says_who_solved_what(finished):
    out, result = finished
    assert result.exit_code == 0
    assert re.search(r"seed0/step9 +0\.700 +\d+ +\d+ +\d\.\d\d\d", result.output)
    assert "seed0/step10" in result.output
    assert "seed1" not in result.output  # below .65
    assert re.search(r"all +8 +\d+", result.output)
    assert f"dataset  {out}" in result.output


def test_the_dataset_names_its_experts_and_the_command(finished):
    dataset = load(finished[0])
    assert [(one["name"], one["solve_rate"], one["steps"]) for one in dataset.info["experts"]] == [
        ("seed0/step9", 0.7, 9),
        ("seed0/step10", 0.9, 10),
    ]
    assert len(dataset.episodes.length) == 8


def test_the_command_is_remembered_without_what_changes_nothing(experts, tmp_path, monkeypatch):
    monkeypatch.chdir(experts)
    words = ["collect", LEVEL, "--experts", LEVEL, "--transitions", 50, "--seed", 3, "--solve-rate", 0.8]
    invoke(*words, "--out", tmp_path, "--workers", 1)
    command = load(tmp_path).info["command"]
    assert command.split() == ["chunkenv", "data", *map(str, words)]
    assert str(tmp_path) not in command


def test_the_planner_needs_no_experts(tmp_path):
    result = invoke("collect", LEVEL, "--planner", "--episodes", 1, "--workers", 1, "--out", tmp_path)
    assert result.exit_code == 0
    assert re.search(r"planner +1 +1 +1\.000", result.output)


def test_info_shows_how_actions_are_used(finished):
    result = invoke("info", finished[0])
    assert "answer the same" in result.output
    assert result.exit_code == 0
    assert re.search(r"level +chain_lander", result.output)
    assert len(re.findall(r"^[0-5] +-?\d\.\d{3}", result.output, re.MULTILINE)) == 6
    assert "two peaks" in result.output


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


def test_there_and_back_by_minari(tmp_path, monkeypatch):
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    dataset = small_dataset(tmp_path / "a")
    assert invoke("export", tmp_path / "a", "mine-v0").output == "mine-v0: 4 episodes, 11 transitions.\n"
    assert "4 episodes, 11 transitions." in invoke("import", "mine-v0", tmp_path / "b").output
    assert same(load(tmp_path / "b"), dataset)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["catapullt", "--planner", "--episodes", "1"], "did you mean 'catapult'?"),
        ([LEVEL, "--episodes", "1"], "Give either --experts PATH or --planner."),
        ([LEVEL, "--planner", "--experts", "x", "--episodes", "1"], "Give either --experts PATH or --planner."),
        ([LEVEL, "--planner"], "Give either a number of episodes or one of transitions."),
        ([LEVEL, "--experts", "none.safetensors", "--episodes", "1"], "There is no chunkenv expert none.safetensors"),
    ],
)
def test_mistakes_are_one_sentence(words, sentence):
    result = invoke("collect", *words)
    assert isinstance(result.exception, ArgumentError)
    assert sentence in str(result.exception)


def test_ctrl_c_says_what_is_kept(tmp_path, monkeypatch):
    def interrupted(*_, progress, **__):
        progress(5, 50)
        raise KeyboardInterrupt

    monkeypatch.setattr(collection, "collect_plans", interrupted)
    result = invoke("collect", LEVEL, "--planner", "--episodes", 9, "--out", tmp_path)
    assert result.exit_code == 130
    assert "Interrupted: at least 5 episodes are kept. The same command goes on from there." in result.output


def test_a_folder_without_a_dataset_is_one_sentence(tmp_path):
    for command in ("info", "check"):
        assert isinstance(invoke(command, tmp_path).exception, DataError)


def test_it_is_a_command_of_its_own():
    assert isinstance(app, typer.Typer)
    assert DATASETS.as_posix() == "results/data"


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


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("manip-cube-single-task9", "--style", "task"),
            "There is no task 'manip-cube-single-task9': did you mean 'cube-single-task",
        ),
        (("manip-cube-single-task1",), "give --style play, task or noisy"),
        (("manip-cube-single-task1", "--style", "task", "--planner"), "no other player"),
        (("catapult", "--planner", "--style", "task"), "--style is an option of manipulation tasks"),
    ],
)
def test_who_plays_what(words, sentence, tmp_path):
    failed = invoke("collect", *words, "--episodes", "1", "--out", str(tmp_path / "none"))
    assert isinstance(failed.exception, ArgumentError)
    assert sentence in str(failed.exception)
