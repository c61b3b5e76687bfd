from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from chunkenv.agents.annotations import EncoderSize, load_encoder
from chunkenv.cli.train.annotations import annotations
from chunkenv.collect import collect_oracle
from chunkenv.data import DataError, load, split_episodes
from chunkenv.data.saved_frames import write_frames
from chunkenv.errors import ArgumentError
from chunkenv.manipulation.words import read_predicates
from chunkenv.training.annotated_frames import read_annotated_frames

app = typer.Typer()
app.command()(annotations)
QUICK = ["--batch", "4", "--features", "8", "--boxes", "1", "--updates", "2"]

SMALL = """
from functools import partial
import chunkenv.agents.annotations as room
from chunkenv.agents.annotations import EncoderSize
room.EncoderSize = partial(EncoderSize, image=8, channels=(4,))
from chunkenv.cli import main
main()
"""
"""The command with an encoder that is quick to train."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two episodes with frames of which each is of one colour: its number."""
    folder = tmp_path_factory.mktemp("annotations") / "data"
    dataset = collect_oracle("manip-cube-single", "task", folder, goals="train", failures=1.0, episodes=2)
    frames = (np.full((64, 64, 3), number % 256, np.uint8) for number in range(len(dataset) + 2))
    write_frames(folder, frames, ["", ""], {})
    return folder


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def _small_encoder(monkeypatch):
    small = partial(EncoderSize, image=8, channels=(4,))
    monkeypatch.setattr("chunkenv.agents.annotations.EncoderSize", small, raising=False)


@pytest.mark.usefixtures("_small_encoder")
def test_it_trains_and_says_where_the_encoder_is(data, tmp_path):
    words = ["cube-single", "--data", data, *QUICK, "--annotations", "predicates", "--out", tmp_path]
    result = call(*words)
    assert result.exit_code == 0, result.output
    path = tmp_path / "cube-single" / "predicates" / "bootstrap1" / "seed0" / "encoder.safetensors"
    assert f"encoder  {path}" in result.output
    assert "predicates: goes on from 2 of 2 updates" in call(*words).output
    assert load_encoder(path).features(np.zeros((1, 64, 64, 3), np.uint8)).shape == (1, 8)


def test_frames_have_the_sentences_of_their_ticks(data):
    dataset = load(data)
    sources = read_annotated_frames(data, dataset, "cube-single")
    holds = read_predicates("cube-single", dataset.observations)
    assert sum(len(source.frames) for source in sources) == len(dataset)
    for source, episodes in zip(sources, split_episodes(dataset), strict=True):
        (episode,) = episodes
        ticks = dataset.episodes.start[episode] + np.arange(len(source.frames))
        assert np.array_equal(source.frames[:, 0, 0, 0], (ticks + episode) % 256)
        assert np.array_equal(source.holds, holds[ticks])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cube-single", "--annotations", "stars"], "annotations='stars' is unknown"),
        (["scene"], "not of scene"),
    ],
)
def test_one_sentence_for_what_cannot_be_meant(data, tmp_path, words, said):
    result = call(*words, "--data", data, "--out", tmp_path)
    assert isinstance(result.exception, ArgumentError)
    assert said in str(result.exception)


def test_data_without_frames_are_refused(tmp_path):
    collect_oracle("manip-cube-single", "task", tmp_path, goals="train", failures=1.0, episodes=2)
    with pytest.raises(DataError, match="has no frames"):
        read_annotated_frames(tmp_path, load(tmp_path), "cube-single")


@pytest.mark.slow
@pytest.mark.usefixtures("_small_encoder")
def test_a_killed_training_ends_with_the_same_encoder(data, tmp_path):
    words = ["cube-single", "--data", data, *QUICK, "--updates", "2000", "--evaluate-every", "100", "--out"]
    assert call(*words, tmp_path / "whole").exit_code == 0
    command = [sys.executable, "-c", SMALL, "train", "annotations"]
    command = [str(word) for word in [*command, *words, tmp_path / "killed"]]
    folder = Path("cube-single", "instances", "bootstrap1", "seed0")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not (tmp_path / "killed" / folder / "resume.safetensors").exists():
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL  # before its end
    assert "instances: goes on from" in call(*words, tmp_path / "killed").output
    whole, killed = (load_encoder(tmp_path / run / folder / "encoder.safetensors") for run in ("whole", "killed"))
    assert jax.tree.all(jax.tree.map(np.array_equal, whole.weights, killed.weights))
    lines = (tmp_path / "killed" / folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["steps"] for line in lines] == list(range(100, 2001, 100))
