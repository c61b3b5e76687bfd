"""The oracle's episodes as data."""

import numpy as np
import pytest

from chunkenv.collect import collect_oracle
from chunkenv.data import check_dataset, load, verify_episodes
from chunkenv.errors import ArgumentError

pytest.importorskip("ogbench")
TASK = "manip-cube-single-task1"


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "solved"
    return folder, collect_oracle(TASK, "task", folder, episodes=3, seed=100)


def test_episodes_are_what_the_environment_plays(solved):
    folder, dataset = solved
    assert dataset.episodes.success.all()
    assert dataset.terminated.sum() == 3
    assert not dataset.truncated.any()
    assert set(np.unique(dataset.rewards)) == {-1.0, 0.0}
    assert dataset.observations.shape[1:] == (28,)
    assert dataset.actions.dtype == np.float32
    assert check_dataset(folder) == []
    assert verify_episodes(dataset, 3) == []


def test_a_changed_action_is_found_by_playing_again(solved):
    _, dataset = solved
    actions = np.array(dataset.actions)
    actions[5] += 0.01
    changed = type(dataset)(**{**vars(dataset), "actions": actions})
    assert len(verify_episodes(changed, 3)) == 1


def test_rows_do_not_depend_on_the_company(solved, tmp_path):
    _, dataset = solved
    more = collect_oracle(TASK, "task", tmp_path / "more", episodes=4, seed=100)
    assert np.array_equal(more.actions[: len(dataset)], dataset.actions)
    assert np.array_equal(more.observations[: len(dataset)], dataset.observations)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["play", "noisy"])
def test_the_same_rows_for_any_number_of_workers(style, tmp_path):
    alone = collect_oracle(TASK, style, tmp_path / "alone", episodes=10)
    together = collect_oracle(TASK, style, tmp_path / "together", episodes=10, workers=2)
    assert np.array_equal(alone.actions, together.actions)
    assert np.array_equal(alone.observations, together.observations)


def test_it_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    whole = collect_oracle(TASK, "task", tmp_path / "whole", episodes=10)

    def stop(episodes, transitions):
        if episodes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect_oracle(TASK, "task", tmp_path / "parts", episodes=10, progress=stop)
    kept = []
    collect_oracle(TASK, "task", tmp_path / "parts", episodes=10, progress=lambda episodes, _: kept.append(episodes))
    assert kept[0] == 8
    assert np.array_equal(load(tmp_path / "parts").actions, whole.actions)


def test_primitives_are_asked_for_and_noted_down(solved, tmp_path):
    plans = collect_oracle(TASK, "task", tmp_path, episodes=3, seed=100, primitives="plan")
    assert plans.info["experts"][0]["primitives"] == "plan"
    assert plans.episodes.success.all()
    assert len(plans) > len(solved[1])  # plans are slower


def test_the_sparse_reward_is_asked_for(tmp_path):
    dataset = collect_oracle("chunkenv/manip-cube-double-task1-v0", "task", tmp_path, reward="sparse", episodes=1)
    assert set(np.unique(dataset.rewards)) == {-1.0, 0.0}
    assert dataset.info["arguments"] == {"reward": "sparse"}
    assert verify_episodes(dataset, 1) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("catapult", "task"), "There is no manipulation task 'catapult'"),
        (("manip-cube-single-task6", "task"), "There is no manipulation task"),
        ((TASK, "fast"), "style='fast'"),
    ],
)
def test_mistakes_are_named(arguments, sentence, tmp_path):
    with pytest.raises(ArgumentError, match=sentence):
        collect_oracle(*arguments, tmp_path / "none", episodes=1)
    assert not (tmp_path / "none").exists()


def test_a_reward_that_is_none_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="reward='dense'"):
        collect_oracle(TASK, "task", tmp_path / "none", reward="dense", episodes=1)


def test_an_imperfect_demonstrator_is_slower_and_fails_in_part(solved, tmp_path):
    shares = dict(pauses=0.2, detours=0.1, failures=0.5)
    dataset = collect_oracle(TASK, "task", tmp_path, episodes=8, seed=100, **shares)
    success = np.asarray(dataset.episodes.success)
    assert 0 < success.sum() < 8
    assert np.array_equal(dataset.terminated.sum(), success.sum())
    still = (np.asarray(dataset.actions)[:, :4] == 0).all(axis=1)[np.repeat(success, dataset.episodes.length)]
    assert still.mean() == pytest.approx(0.2, abs=0.15)  # of few ticks; of many: tests/manipulation/oracles
    assert dataset.episodes.length[success].mean() > 1.2 * solved[1].episodes.length.mean()
    assert dataset.episodes.length[~success].max() < 40  # not until the time limit
    assert dataset.info["experts"][0]["imperfection"] == shares
    assert verify_episodes(dataset, 8) == []


def test_only_a_task_can_fail(tmp_path):
    with pytest.raises(ArgumentError, match="style='play'"):
        collect_oracle(TASK, "play", tmp_path / "none", episodes=1, pauses=0.1)
