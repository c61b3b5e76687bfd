import gymnasium as gym
import numpy as np
import pytest

from chunkenv.course.small_worlds import (
    EPISODE,
    LONGEST,
    InOrder,
    PayingChain,
    Slope,
    late_slope,
    returns_on_slope,
)


def test_a_chain_pays_tick_by_tick_and_ends_as_it_is_told():
    for terminates in (True, False):
        env = PayingChain([1.0, -2.0], terminates)
        assert env.reset()[0].tolist() == [0.0]
        assert env.step(np.zeros(1, np.float32))[:4] == (np.float32([1.0]), 1.0, False, False)
        assert env.step(np.zeros(1, np.float32))[:4] == (np.float32([2.0]), -2.0, terminates, not terminates)


def test_latencies_come_in_order_and_in_every_episode_anew():
    model = InOrder((1.0, 3.0))
    state = model.begin(np.random.default_rng(0))
    drawn = []
    for _ in range(3):
        seconds, state = model.draw(np.random.default_rng(0), state)
        drawn.append(seconds)
    assert drawn == [1.0, 3.0, 1.0]


def test_the_slope_without_pushes_and_noise_grows_by_its_rule(monkeypatch):
    monkeypatch.setattr(Slope, "NOISE", 0.0)
    env = Slope()
    (x,), _ = env.reset(seed=0)
    (after,), reward, *_ = env.step(np.array([0.5], np.float32))
    assert after == pytest.approx(1.2 * x + 0.5, abs=1e-6)
    assert reward == pytest.approx(-(after**2) - 0.1 * 0.25, abs=1e-6)


def test_pushes_arrive_as_late_as_the_text_says():
    env = late_slope(True)
    env.reset(seed=0)
    delays = [env.step(np.zeros(1, np.float32))[-1]["action_delay"] for _ in range(EPISODE)]
    assert set(delays) - {-1} == set(range(1, LONGEST + 1))


def test_a_controller_is_played_on_the_same_episodes_whatever_it_does():
    """With a push of 0 from both, only what they observe differs."""
    without = returns_on_slope([0.0, 0.0], False, 3, seed=5)
    assert (returns_on_slope([0.0] * 6, True, 3, seed=5) == without).all()
    assert returns_on_slope([0.0, 0.0], False, 2, seed=6) == pytest.approx(without[1:])
    assert len(set(without)) == 3


def test_the_observation_has_the_age_the_place_and_what_was_sent():
    env = late_slope(True)
    env.reset(seed=0)
    for push in (0.5, 0.75):
        seen = env.step(np.array([push], np.float32))[0]
    assert seen[2:].tolist() == [0.0, 0.5, 0.75]
    assert isinstance(env.observation_space, gym.spaces.Box)
    assert env.observation_space.shape == (5,)
