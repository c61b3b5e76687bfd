from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from chunkenv.agents.vla import load_vla
from chunkenv.cli.scene import PlayedScene, make_env, make_policy
from chunkenv.cli.train.vla import vla
from chunkenv.collect import collect_oracle, read_goals
from chunkenv.collect.frame_rendering import render_frames
from chunkenv.data import DataError, load
from chunkenv.errors import ArgumentError
from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.words import WORDINGS, is_held_out, parse_instruction, say_goal
from chunkenv.training import vla_training
from chunkenv.training.vla_data import read_vla_data

app = typer.Typer()
app.command()(vla)
QUICK = ["--layers", "1", "--width", "8", "--heads", "2", "--expert-width", "8", "--batch", "4", "--updates", "2"]
QUICK += ["--prediction-horizon", "4", "--episodes", "0", "--arm", "joint"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vla") / "data"
    collect_oracle("manip-cube-single", "task", folder, goals="train", failures=1.0, episodes=3)
    return folder


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def _small_rounds(monkeypatch):
    monkeypatch.setattr(vla_training, "STATISTICS_WINDOWS", 64)
    monkeypatch.setattr(vla_training, "TESTED", 8)


@pytest.mark.usefixtures("_small_rounds")
def test_it_trains_says_where_the_model_is_and_the_model_plays_by_instruction(data, tmp_path):
    words = ["cube-single", "--data", data, *QUICK, "--out", tmp_path]
    result = call(*words)
    assert result.exit_code == 0, result.output
    path = tmp_path / "cube-single" / "features" / "joint" / "seed0" / "model.safetensors"
    assert f"watch  chunkenv play cube-single --agent {path}" in result.output
    assert "joint: goes on from 2 of 2 updates" in call(*words).output
    scene = PlayedScene("cube-single", agent=path, delay=1)
    env = make_env(scene)
    assert env.reset(seed=0)[0]["instruction"]
    assert scene.lengths == (4, 2, 1)
    chunk = make_policy(scene, env).infer(
        env.reset(seed=0)[0], env.get_wrapper_attr("request")._replace(rng=np.random.default_rng(0))
    )
    assert chunk.shape == (4, 5)
    said = {wordings: PlayedScene("cube-single", agent=path, wordings=wordings) for wordings in ("train", "held-out")}
    one, other = (make_env(scene).reset(seed=0)[0]["instruction"] for scene in said.values())
    goals = [parse_instruction("cube-single", instruction) for instruction in (one, other)]
    assert one != other
    assert goals[0] == goals[1]
    elsewhere = PlayedScene("cube-single", agent=path, goals="held-out")
    (wanted,) = parse_instruction("cube-single", make_env(elsewhere).reset(seed=0)[0]["instruction"])
    assert is_held_out(FAMILY["cube-single"], wanted)
    with pytest.raises(ArgumentError, match="goals='held-out' is about instructions"):
        make_env(PlayedScene("cube-single-task1", goals="held-out"))
    with pytest.raises(ArgumentError, match="was trained on chunkenv/manip-cube-single-v0, not on scene"):
        make_env(PlayedScene("scene", agent=path))


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_model(data, tmp_path):
    words = ["cube-single", "--data", data, *QUICK, "--arm", "insulated", "--question-weight", "0.5"]
    words += ["--updates", "1000", "--evaluate-every", "100", "--out"]
    assert call(*words, tmp_path / "whole").exit_code == 0
    command = [sys.executable, "-c", "from chunkenv.cli import main; main()", "train", "vla"]
    command = [str(word) for word in [*command, *words, tmp_path / "killed"]]
    folder = Path("cube-single", "features", "insulated", "seed0")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not (tmp_path / "killed" / folder / "resume.safetensors").exists():
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL  # before its end
    assert "insulated: goes on from" in call(*words, tmp_path / "killed").output
    whole, killed = (load_vla(tmp_path / run / folder / "model.safetensors") for run in ("whole", "killed"))
    assert jax.tree.all(jax.tree.map(np.array_equal, whole.weights, killed.weights))
    lines = (tmp_path / "killed" / folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["steps"] for line in lines] == list(range(100, 1001, 100))


def test_windows_have_what_was_seen_said_and_done(data):
    dataset = load(data)
    found = read_vla_data(data, dataset, "cube-single", "features", 4, validation=0.34)
    batch = found.windows.sample(np.random.default_rng(0), 50)
    goals = read_goals(dataset)
    sentences = {say_goal("cube-single", goal, wording) for goal in goals for wording in WORDINGS["train"]}
    assert {found.words.decode(each) for each in batch.seen.words} <= sentences
    assert len(np.unique(batch.seen.words, axis=0)) >= 5
    for state, chunk, mask in zip(batch.seen.state, batch.chunks, batch.mask, strict=True):
        (tick,) = np.flatnonzero((dataset.observations == state).all(axis=1))[:1]
        assert np.array_equal(chunk[mask > 0], dataset.actions[tick : tick + int(mask.sum())])
    yes, no = (found.words.number(word) for word in ("yes", "no"))
    assert 0.3 < (batch.answers == yes).mean() < 0.7
    assert set(batch.answers) == {yes, no}
    assert found.words.decode(batch.questions[0]).endswith("?")
    assert found.arguments == {"goal": "instruction", "goals": "train", "observation": "features"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cube-single", "--token-weight", "0"], "token_weight=0 with arm='insulated'"),
        (["cube-single", "--arm", "frozen"], "arm='frozen' without a model to start from"),
        (["cube-single", "--heads", "3"], "width=64 is no multiple of heads=3"),
        (["scene"], "not of scene"),
        (["cube-single", "--observation", "sounds"], "observation='sounds' is unknown"),
        (["cube-single", "--max-prefix", "10"], "max_prefix=10 leaves no row of 10"),
    ],
)
def test_one_sentence_for_what_cannot_be_meant(data, tmp_path, words, said):
    result = call(*words, "--data", data, "--out", tmp_path)
    assert isinstance(result.exception, ArgumentError)
    assert said in str(result.exception)


def test_frames_are_those_of_the_ticks_and_the_environment_shows_the_same(data):
    saved, dataset = render_frames(data, camera="above"), load(data)
    found = read_vla_data(data, dataset, "cube-single", "pixels+robot", 4)
    batch = found.windows.sample(np.random.default_rng(0), 10)
    for frame, robot in zip(batch.seen.pixels, batch.seen.state, strict=True):
        (tick,) = np.flatnonzero((dataset.observations[:, : len(robot)] == robot).all(axis=1))[:1]
        episode = int(dataset.episode[tick])
        assert np.array_equal(frame, saved.of_episode(dataset, episode)[tick - dataset.episodes.start[episode]])
    assert found.arguments["camera"] == "above"
    assert found.arguments["image_size"] == frame.shape[0]


def test_data_without_goals_or_frames_are_refused(data, tmp_path):
    collect_oracle("manip-cube-single", "play", tmp_path / "play", goals="train", transitions=20)
    with pytest.raises(DataError, match="has no frames"):
        read_vla_data(tmp_path / "play", load(data), "cube-single", "pixels", 4)
    with pytest.raises(DataError, match="played in the style 'play', which is for no goal"):
        read_goals(load(tmp_path / "play"))
