from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.collect.expert_player import ExpertPlayer
from chunkenv.collect.experts import ExpertSource
from chunkenv.data.episodes import Episode
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import episode_seed
from chunkenv.wrappers import ActionNoise
from tests.agents.experts import random_expert
from tests.data.making import LEVEL, Placed, Waver

SOURCES = [ExpertSource(Waver(0), "a"), ExpertSource(Waver(1), "b"), ExpertSource(random_expert(LEVEL), "c")]


def player(slots=8, sources=SOURCES, level=LEVEL, seed=3, noise=0.1, actions="mean"):
    return ExpertPlayer(level, sources, seed, noise, slots, 1, actions)


def equal(one, other):
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype for a, b in pairs)


@pytest.fixture(scope="module")
def episodes():
    return player().play(range(24))


@pytest.mark.parametrize("level", [LEVEL, "catapult"])
def test_what_is_kept_is_what_happens_again_in_one_environment(level):
    world = gym.make(f"chunkenv/kinetix-{level}-v0", observation="compact")
    env = ActionNoise(world, 0.1)
    for episode in player(level=level, sources=[ExpertSource(Waver(0), "a")]).play(range(3)):
        seen, _ = env.reset(seed=episode.seed)
        info = {}
        for tick, action in enumerate(episode.actions):
            assert np.array_equal(seen, episode.observations[tick])
            seen, reward, terminated, truncated, info = env.step(action)
            last = tick == len(episode.actions) - 1
            assert reward == episode.rewards[tick]
            assert (terminated or truncated) == last
        assert np.array_equal(seen, episode.observations[-1])
        assert terminated == episode.terminated
        assert info["success"] == episode.success


def test_actions_are_what_the_expert_meant(episodes):
    for episode in episodes:
        meant = [SOURCES[episode.expert].expert.actions(seen[None])[0] for seen in episode.observations[:-1]]
        assert episode.actions == pytest.approx(np.stack(meant), abs=1e-5)
        assert episode.actions.dtype == np.float32


@pytest.mark.parametrize("slots", [1, 5, 40])
def test_slots_change_nothing(episodes, slots):
    assert all(map(equal, player(slots).play(range(24)), episodes))


def test_an_expert_whose_answers_hang_on_its_place_plays_the_same_in_any_slot():
    sources = [ExpertSource(Placed(), "a")]
    assert all(map(equal, player(1, sources).play(range(6)), player(6, sources).play(range(6))))


def test_an_episode_hangs_on_its_number_only(episodes):
    assert all(map(equal, player().play([17, 4]), [episodes[17], episodes[4]]))


def test_a_player_plays_on(episodes):
    one = player()
    assert all(map(equal, one.play(range(5)) + one.play(range(5, 24)), episodes))


def test_every_expert_plays_and_who_does_hangs_on_the_seed(episodes):
    assert {episode.expert for episode in episodes} == {0, 1, 2}
    assert [episode.seed for episode in episodes] == [episode_seed(3, number) for number in range(24)]
    others = player(seed=4).play(range(24))
    assert [episode.expert for episode in others] != [episode.expert for episode in episodes]


def test_without_noise_an_expert_always_does_the_same():
    one, two = player(sources=SOURCES[:1], noise=0.0).play(range(2))
    assert equal(one._replace(seed=0), two._replace(seed=0))
    noisy = player(sources=SOURCES[:1]).play(range(1))[0]
    assert not np.array_equal(noisy.observations[1], one.observations[1])
    assert np.array_equal(noisy.actions[0], one.actions[0])


def test_episodes_end_by_a_touch_or_by_the_limit(episodes):
    assert all(isinstance(episode, Episode) for episode in episodes)
    for episode in episodes:
        assert episode.terminated == (episode.rewards[-1] != 0)
        assert episode.success == (episode.rewards[-1] > 0)
        assert episode.terminated or len(episode.rewards) == 256
        assert (episode.rewards[:-1] == 0).all()


SPREAD = np.array([0.3], np.float32)
EXPLORING = [ExpertSource(random_expert("catapult", std=SPREAD), "d"), ExpertSource(random_expert("catapult", 1), "e")]


def test_samples_are_spread_around_what_the_expert_holds_for_best():
    """Within the bounds; in channels that it drives; as widely as it explored, and independently in every tick."""
    expert = random_expert("catapult", std=SPREAD)
    expert = replace(expert, layers=(expert.layers[0], tuple(0.02 * part for part in expert.layers[1])))
    (channel,) = expert.channels
    episodes = player(sources=[ExpertSource(expert, "calm")], level="catapult", actions="sampled").play(range(40))
    seen = np.concatenate([episode.observations[:-1] for episode in episodes])
    actions = np.concatenate([episode.actions for episode in episodes])
    assert np.abs(actions[:, channel]).max() == 1
    assert not np.delete(actions, channel, axis=1).any()
    away = (actions - expert.actions(seen))[:, channel]
    assert away.std() == pytest.approx(SPREAD[0], rel=0.05)
    assert abs(np.corrcoef(away[:-1], away[1:])[0, 1]) < 0.05


@pytest.mark.parametrize("slots", [1, 5, 40])
def test_slots_change_no_sample(slots):
    arguments = {"sources": EXPLORING[:1], "level": "catapult", "actions": "sampled"}
    assert all(map(equal, player(slots, **arguments).play(range(12)), player(**arguments).play(range(12))))


def test_without_spread_samples_are_the_mean():
    still = [ExpertSource(random_expert("catapult", std=np.zeros(1, np.float32)), "d")]
    sampled = player(sources=still, level="catapult", actions="sampled").play(range(3))
    assert all(map(equal, sampled, player(sources=still, level="catapult").play(range(3))))


def test_an_expert_of_unknown_spread_cannot_be_sampled():
    with pytest.raises(ArgumentError, match=r"The expert e has no standard deviation \(std\) .* take actions='mean'"):
        player(sources=EXPLORING, level="catapult", actions="sampled")
    with pytest.raises(ArgumentError, match="did you mean 'sampled'"):
        player(actions="sample")
