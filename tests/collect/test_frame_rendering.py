"""Frames beside data: written, read, checked, and handed to Minari."""

import numpy as np
import pytest

from chunkenv.collect import collect_oracle
from chunkenv.collect.frame_rendering import render_frames
from chunkenv.data import DataError, SavedFrames, load, write_episodes
from chunkenv.data.formats.minari import to_minari
from chunkenv.data.saved_frames import check_frames
from chunkenv.manipulation import GoalManipulationEnv
from chunkenv.manipulation.words import parse_instruction
from tests.data import making


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """The folder of two short episodes with frames."""
    folder = tmp_path_factory.mktemp("seen") / "data"
    collect_oracle("manip-cube-single", "task", folder, goals="tasks", failures=1.0, episodes=2)
    render_frames(folder, camera="above")
    return folder


def test_the_frames_are_those_that_the_environment_shows(seen):
    dataset, frames = load(seen), SavedFrames(seen)
    env = GoalManipulationEnv("cube-single", "instruction", observation="pixels", camera="above")
    for episode in range(2):
        observation, info = env.reset(seed=int(dataset.episodes.seed[episode]))
        assert info["instruction"] == frames.instructions[episode]
        assert parse_instruction("cube-single", frames.instructions[episode])
        saved = frames.of_episode(dataset, episode)
        assert len(saved) == dataset.episodes.length[episode] + 1
        assert np.array_equal(saved[0], observation["pixels"])
        for action, frame in zip(dataset.actions[dataset.episode == episode], saved[1:], strict=True):
            assert np.array_equal(env.step(action)[0]["pixels"], frame)
    assert check_frames(seen, dataset) == []


def test_minari_gets_frames_and_instructions(seen, tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    dataset, frames = load(seen), SavedFrames(seen)
    written = to_minari(dataset, "seen/cube-v0", frames)
    (first,) = written.storage.get_episode_metadata([0])
    assert first["instruction"] == frames.instructions[0]
    assert np.array_equal(written[1].observations["pixels"], frames.of_episode(dataset, 1))


def test_damage_is_found(seen):
    path = seen / "frames" / "pictures.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5] + b"12345")
    assert "is damaged" in check_frames(seen, load(seen))[0]
    path.write_bytes(whole[:-5])
    with pytest.raises(DataError, match="is damaged: it has"):
        SavedFrames(seen)
    path.write_bytes(whole)


def test_what_cannot_be_rendered_is_a_sentence(seen, tmp_path):
    write_episodes(tmp_path / "other", [making.episode(3)], making.info(1))
    with pytest.raises(DataError, match="has no episodes of manipulation that can be played again"):
        render_frames(tmp_path / "other")
    with pytest.raises(DataError, match="has no frames; `chunkenv data render"):
        SavedFrames(tmp_path / "other")
