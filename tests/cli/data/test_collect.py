import re

import pytest

import chunkenv.collect as collection
from chunkenv.data import load
from chunkenv.errors import ArgumentError
from tests.cli.data.calling import invoke
from tests.data.making import LEVEL


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


def test_ctrl_c_says_what_is_kept(tmp_path, monkeypatch):
    def interrupted(*_, progress, **__):
        progress(5, 50)
        raise KeyboardInterrupt

    monkeypatch.setattr(collection, "collect_plans", interrupted)
    result = invoke("collect", LEVEL, "--planner", "--episodes", 9, "--out", tmp_path)
    assert result.exit_code == 130
    assert "Interrupted: at least 5 episodes are kept. The same command goes on from there." in result.output
