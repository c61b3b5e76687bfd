"""Runs of a policy of its own: what is kept, and what the labels make of it."""

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.collect.policy_player import PolicyPlayer
from chunkenv.collect.policy_runs import collect_runs
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import episode_seed
from chunkenv.training.correction_labels import BATCH, label_by_expert, label_by_policy
from chunkenv.wrappers import ActionNoise
from tests.agents.experts import random_expert
from tests.agents.policies.test_flow_policy import policy
from tests.data.making import same

LEVEL = "catapult"
SOURCE = {"name": "small", "sha256": "0"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return collect_runs(LEVEL, policy(), tmp_path_factory.mktemp("runs"), transitions=700, source=SOURCE, seed=3)


def test_what_is_kept_is_what_happens_again_in_one_environment():
    env = ActionNoise(gym.make(f"chunkenv/kinetix-{LEVEL}-v0", observation="compact"), 0.1)
    *_, episode = PolicyPlayer(LEVEL, policy(), 3, 0.1).play([0, 2])
    assert episode.seed == episode_seed(3, 2)
    seen, info = env.reset(seed=episode.seed)
    for tick, action in enumerate(episode.actions):
        assert np.array_equal(seen, episode.observations[tick])
        seen, reward, terminated, truncated, info = env.step(action)
        assert reward == episode.rewards[tick]
        assert (terminated or truncated) == (tick == len(episode.actions) - 1)
    assert np.array_equal(seen, episode.observations[-1])
    assert (terminated, info["success"]) == (episode.terminated, episode.success)


def test_every_second_episode_follows_the_leader_and_keeps_the_plan():
    env = ActionNoise(gym.make(f"chunkenv/kinetix-{LEVEL}-v0", observation="compact"), 0.1)
    expert = random_expert(LEVEL)
    even, odd = PolicyPlayer(LEVEL, policy(), 3, 0.1, expert).play([0, 1])
    own, other = PolicyPlayer(LEVEL, policy(), 3, 0.1).play([0, 1])
    assert all(np.array_equal(a, b) for a, b in zip(even, own, strict=True))
    np.testing.assert_array_equal(odd.actions[:8], other.actions[:8])
    seen, _ = env.reset(seed=odd.seed)
    for tick in range(20):
        np.testing.assert_allclose(seen, odd.observations[tick], atol=1e-3)
        seen, *_ = env.step(expert.actions(seen[None])[0])
    assert np.abs(odd.observations[20] - other.observations[20]).max() > 0.01


def test_an_episode_hangs_on_its_number_only():
    player = PolicyPlayer(LEVEL, policy(), 3, 0.1)
    first, second = player.play([0, 1])
    (again,) = player.play([1])
    assert all(np.array_equal(a, b) for a, b in zip(again, second, strict=True))
    assert first.actions.tobytes() != second.actions.tobytes()


def test_an_action_is_the_row_of_a_chunk_and_a_row_0_is_its_own_label(runs):
    """The fresh chunk of a tick begins with the noise of the one under way: at row 0 it is that chunk."""
    ticks = label_by_policy(runs, policy())
    assert len(ticks.labels) == len(runs) >= 700
    assert len(runs) % BATCH
    first = ticks.places == 0
    np.testing.assert_allclose(ticks.labels[first], ticks.rows[first], atol=1e-5)
    assert np.abs(ticks.labels[~first] - ticks.rows[~first]).max() > 0.1
    starts = runs.episodes.start.tolist()
    assert [ticks.places[start : start + 10].tolist() for start in starts[:2]] == [[*range(8), 0, 1]] * 2


def test_a_later_rows_label_has_that_rows_noise(runs):
    """Of a policy whose chunk is its noise, the label of every row is that row."""
    sampler = policy()
    sampler.compile = lambda loop: lambda observations, noise: sampler.to_network(noise)
    sampler._sample = sampler.compile(None)
    own = PolicyPlayer(LEVEL, sampler, 3, 0.1).play([0])[0]
    ticks = label_by_policy(runs, sampler)
    length = min(len(own.actions), int(runs.episodes.length[0]))
    np.testing.assert_allclose(ticks.labels[:length], own.actions[:length], atol=1e-5)


def test_an_experts_label_is_its_action(runs):
    expert = random_expert(LEVEL)
    ticks = label_by_expert(runs, expert)
    np.testing.assert_array_equal(ticks.labels, expert.actions(np.asarray(runs.observations)))
    np.testing.assert_array_equal(ticks.rows, runs.actions)


def test_the_same_call_opens_what_is_there_and_another_is_refused(runs, tmp_path):
    one = collect_runs(LEVEL, policy(), tmp_path, transitions=700, source=SOURCE, seed=3)
    assert same(one, runs)
    assert same(collect_runs(LEVEL, policy(), tmp_path, transitions=700, source=SOURCE, seed=3), runs)
    for change in ({"seed": 4}, {"source": {"name": "other", "sha256": "1"}}, {"action_noise": 0.2}):
        with pytest.raises(ArgumentError, match="holds another dataset"):
            collect_runs(LEVEL, policy(), tmp_path, **{"transitions": 700, "source": SOURCE, "seed": 3, **change})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"transitions": 0}, "transitions=0"), ({"seed": -1}, "seed=-1"), ({"action_noise": -0.1}, "action_noise=-0.1")],
)
def test_what_cannot_be_meant(tmp_path, change, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        collect_runs(LEVEL, policy(), tmp_path, **{"transitions": 9, "source": SOURCE, **change})
