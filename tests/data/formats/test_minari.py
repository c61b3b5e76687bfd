import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from chunkenv import data
from chunkenv.collect import collect, collect_oracle
from chunkenv.data.check import check_dataset
from chunkenv.data.dataset_files import DataError
from chunkenv.data.formats.minari import from_minari, to_minari
from chunkenv.errors import ArgumentError, MissingExtraError
from tests.data.making import LEVEL, Waver, same, small_dataset

minari = pytest.importorskip("minari")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    return collect(LEVEL, [Waver(0), Waver(1)], tmp_path_factory.mktemp("collected"), episodes=12)


def test_every_bit_comes_back(tmp_path, collected):
    made = to_minari(collected, "kinetix/lander-v0")
    assert made.total_steps == len(collected)
    for source, name in (("kinetix/lander-v0", "a"), (minari.load_dataset("kinetix/lander-v0"), "b")):
        back = from_minari(source, tmp_path / name)
        assert same(back, collected)
        assert back.info == collected.info
        assert check_dataset(tmp_path / name) == []


def test_minari_sees_episodes_as_it_wants_them(collected):
    made = to_minari(collected, "lander-v0", author="nobody")
    assert made.total_episodes == 12
    start = int(collected.episodes.start[3])
    length = int(collected.episodes.length[3])
    episode = made[3]
    assert len(episode) == length
    assert np.array_equal(episode.observations[:-1], collected.observations[start : start + length])
    assert np.array_equal(episode.observations[-1], collected.episodes.final_observation[3])
    assert np.array_equal(episode.actions, collected.actions[start : start + length])
    assert episode.rewards.dtype == np.float32
    assert bool(episode.terminations[-1]) != bool(episode.truncations[-1])
    about = next(iter(made.storage.get_episode_metadata([3])))
    assert about["seed"] == collected.episodes.seed[3]
    env = made.recover_environment(eval_env=True)
    assert env.spec.id == f"chunkenv/kinetix-{LEVEL}-v0"
    assert env.observation_space.shape == made.observation_space.shape


def test_the_environment_of_a_manipulation_task_is_recovered(tmp_path):
    pytest.importorskip("ogbench")
    made = to_minari(collect_oracle("manip-cube-single-task1", "task", tmp_path, episodes=1), "cube-v0")
    assert made.recover_environment().spec.id == "chunkenv/manip-cube-single-task1-v0"


def test_the_registry_is_left_as_it_was(collected):
    to_minari(collected, "lander-v0")
    assert "observation" not in gym.spec(f"chunkenv/kinetix-{LEVEL}-v0").kwargs


def foreign(observation_space, action_space, observations, infos=None):
    """A dataset that somebody else made."""
    steps = 3
    buffer = minari.data_collector.EpisodeBuffer(
        observations=observations,
        actions=np.stack([action_space.sample() for _ in range(steps)]),
        rewards=[0.0, 1.0, 2.0],
        terminations=[False, False, False],
        truncations=[False, False, True],
        infos=infos,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return minari.create_dataset_from_buffers(
            "foreign-v0", [buffer], observation_space=observation_space, action_space=action_space
        )


def test_a_foreign_dataset_is_read_with_what_it_says(tmp_path):
    box = spaces.Box(-1, 1, (2,), np.float64)
    seen = np.arange(8.0).reshape(4, 2) / 10
    foreign(box, spaces.Box(-1, 1, (1,), np.float32), seen, {"success": np.array([False, False, False, True])})
    dataset = from_minari("foreign-v0", tmp_path / "plain")
    assert dataset.observations.dtype == np.float64
    assert np.array_equal(dataset.observations, seen[:-1])
    assert np.array_equal(dataset.episodes.final_observation, seen[-1:])
    assert dataset.rewards.tolist() == [0, 1, 2]
    assert dataset.truncated.tolist() == [False, False, True]
    assert dataset.episodes.success.tolist() == [True]
    assert dataset.episodes.seed.tolist() == [-1]
    assert dataset.info["experts"] == [{"name": "foreign-v0"}]
    assert check_dataset(tmp_path / "plain") == []
    assert data.Windows(dataset, 2)[[2]].mask.tolist() == [[1, 0]]
    again = to_minari(dataset, "back-v0")
    assert same(from_minari(again, tmp_path / "again"), dataset)


def test_without_any_word_about_success_there_is_none(tmp_path):
    box = spaces.Box(-1, 1, (2,), np.float32)
    foreign(box, box, np.zeros((4, 2), np.float32))
    assert from_minari("foreign-v0", tmp_path / "plain").episodes.success.tolist() == [False]


def test_pictures_are_refused(tmp_path):
    box = spaces.Box(0, 255, (2, 2), np.uint8)
    foreign(box, spaces.Box(-1, 1, (1,), np.float32), np.zeros((4, 2, 2), np.uint8))
    with pytest.raises(DataError, match=r"observation_space is Box.* vectors of floats only"):
        from_minari("foreign-v0", tmp_path / "plain")
    assert not (tmp_path / "plain").exists()


def test_mistakes_are_one_sentence(tmp_path):
    dataset = small_dataset(tmp_path / "mine")
    to_minari(dataset, "mine-v0")
    with pytest.raises(ArgumentError, match="Minari does not take the dataset_id 'mine-v0'"):
        to_minari(dataset, "mine-v0")
    with pytest.raises(ArgumentError, match="Minari does not take the dataset_id 'a b'"):
        to_minari(dataset, "a b")
    with pytest.raises(ArgumentError, match="There is no local Minari dataset 'none-v0'"):
        from_minari("none-v0", tmp_path / "new")
    with pytest.raises(ArgumentError, match="mine is not empty; choose another folder"):
        from_minari("mine-v0", tmp_path / "mine")


def test_without_minari_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(MissingExtraError, match=r'minari is not installed: run `pip install "chunkenv\[data\]"`'):
        to_minari(small_dataset(tmp_path), "mine-v0")


def test_minari_is_imported_when_it_is_needed():
    code = "import sys, chunkenv.data.formats.minari; print('minari' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
