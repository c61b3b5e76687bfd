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
h5py = pytest.importorskip("h5py")


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


def edit(episode, name, change):
    """Change a column of an episode in its file."""
    column = change(episode[name][()])
    del episode[name]
    episode[name] = column


def without_last(column):
    return column[:-1]


def with_one_more(column):
    return np.concatenate([column, column[-1:]])


def put(index, value):
    def change(column):
        column[index] = value
        return column

    return change


DAMAGES = {
    "no final observation": ([(3, "observations", without_last)], r"Episode 3 has 14 observations, 14 actions and 14"),
    "one elsewhere": (
        [(3, "observations", without_last), (5, "observations", with_one_more)],
        r"Episode 3 has 14 observations, 14 actions and 14 rewards, not T \+ 1, T and T: an observation before each",
    ),
    "one too many": ([(5, "observations", with_one_more)], r"Episode 5 has 16 observations, 14 actions and 14 rewards"),
    "an action less": ([(2, "actions", without_last)], r"Episode 2 has 15 observations, 13 actions and 14 rewards"),
    "an action more": ([(2, "actions", with_one_more)], r"Episode 2 has 15 observations, 15 actions and 14 rewards"),
    "a reward less": ([(2, "rewards", without_last)], r"Episode 2 has terminations of shape \[14\], but 13 rewards"),
    "an end less": ([(2, "terminations", without_last)], r"Episode 2 has terminations of shape \[13\], but 14 rewards"),
    "a limit more": ([(2, "truncations", with_one_more)], r"Episode 2 has truncations of shape \[15\], but 14 rewards"),
    "an early end": (
        [(2, "terminations", put(4, True))],
        r"Episode 2 has an end in step 4 \(terminations\), but goes on",
    ),
    "an early limit": ([(2, "truncations", put(4, True))], r"Episode 2 has an end in step 4 \(truncations\), but goes"),
    "NaN": (
        [(4, "observations", put((7, 0), np.nan))],
        r"Episode 4 has NaN or infinity in its observations, first in row 7",
    ),
    "infinity": (
        [(4, "actions", put((1, 5), np.inf))],
        r"Episode 4 has NaN or infinity in its actions, first in row 1",
    ),
    "rewards of NaN": (
        [(4, "rewards", put(3, np.nan))],
        r"Episode 4 has NaN or infinity in its rewards, first in row 3",
    ),
    "whole numbers": (
        [(1, "observations", lambda c: c.astype(int))],
        r"Episode 1 has observations of type int64, not floats",
    ),
    "other floats": (
        [(1, "actions", lambda c: c.astype(float))],
        r"Episode 1 has .*actions float64\[6\].*but episode 0 has",
    ),
    "other sizes": (
        [(1, "observations", lambda c: c[:, :-1])],
        r"Episode 1 has observations float32\[\d+\].*all must be alike",
    ),
    "columns of rewards": (
        [(1, "rewards", lambda c: c[:, None])],
        r"Episode 1 has .*shapes .*\[14, 1\], not \[T \+ 1, O\]",
    ),
    "no ticks": (
        [(6, name, lambda c: c[:0]) for name in ("actions", "rewards", "terminations", "truncations")]
        + [(6, "observations", lambda c: c[:1])],
        r"Episode 6 has 1 observations, 0 actions and 0 rewards, not .* at least one tick",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_episode_whose_columns_do_not_fit_is_named_and_nothing_is_written(tmp_path, damage):
    changes, sentence = DAMAGES[damage]
    made = to_minari(small_dataset(tmp_path / "whole", lengths=(14,) * 8), "damaged-v0")
    with h5py.File(made.storage.data_path / "main_data.hdf5", "a") as file:
        for number, name, change in changes:
            edit(file[f"episode_{number}"], name, change)
    with pytest.raises(DataError, match=sentence):
        from_minari("damaged-v0", tmp_path / "plain")
    assert not (tmp_path / "plain").exists()


def test_a_filtered_dataset_names_minaris_own_numbers(tmp_path):
    made = to_minari(small_dataset(tmp_path / "whole", lengths=(14,) * 8), "damaged-v0")
    with h5py.File(made.storage.data_path / "main_data.hdf5", "a") as file:
        edit(file["episode_5"], "observations", without_last)
    some = minari.load_dataset("damaged-v0").filter_episodes(lambda episode: episode.id >= 4)
    with pytest.raises(DataError, match="Episode 5 has 14 observations"):
        from_minari(some, tmp_path / "plain")
    sound = some.filter_episodes(lambda episode: episode.id != 5)
    assert from_minari(sound, tmp_path / "plain").info["episodes"] == 3


def test_a_column_that_is_not_there_is_a_sentence(tmp_path):
    made = to_minari(small_dataset(tmp_path / "whole"), "damaged-v0")
    with h5py.File(made.storage.data_path / "main_data.hdf5", "a") as file:
        del file["episode_1"]["rewards"]
    with pytest.raises(DataError, match=r"The Minari dataset is damaged .*rewards"):
        from_minari("damaged-v0", tmp_path / "plain")


@pytest.mark.parametrize(
    ("infos", "solved"),
    [
        ({"success": np.array([False, True, False, False])}, True),
        ({"success": np.array([True, False, False, False])}, False),  # the reset's
        ({"is_success": np.array([0.0, 1.0, 0.0])}, True),
        ({"success": np.full(4, np.nan), "is_success": np.array([0, 0, 0, 1])}, True),
        ({"success": np.full(4, np.nan)}, False),
    ],
)
def test_success_of_any_step_counts_and_the_unknown_does_not(tmp_path, infos, solved):
    box = spaces.Box(-1, 1, (2,), np.float32)
    foreign(box, box, np.zeros((4, 2), np.float32), infos)
    assert from_minari("foreign-v0", tmp_path / "plain").episodes.success.tolist() == [solved]


def test_infos_of_another_length_are_refused(tmp_path):
    box = spaces.Box(-1, 1, (2,), np.float32)
    foreign(box, box, np.zeros((4, 2), np.float32), {"success": np.array([False, True])})
    with pytest.raises(DataError, match="Episode 0 has 2 infos 'success', but 3 rewards"):
        from_minari("foreign-v0", tmp_path / "plain")


def test_an_expert_of_somebody_elses_is_not_one_of_ours(tmp_path):
    box = spaces.Box(-1, 1, (2,), np.float32)
    foreign(box, box, np.zeros((4, 2), np.float32)).storage.update_episode_metadata([{"expert": 7}])
    from_minari("foreign-v0", tmp_path / "plain")
    assert check_dataset(tmp_path / "plain") == []


def test_what_is_no_dataset_of_minaris_is_named(tmp_path):
    with pytest.raises(ArgumentError, match="source=5 is no dataset of Minari's; give one, or the id of a local one"):
        from_minari(5, tmp_path / "plain")


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
