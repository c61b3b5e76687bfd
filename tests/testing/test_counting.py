"""The environment that counts."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from chunkenv.testing import CountingEnv


@pytest.mark.filterwarnings("ignore:.*symmetric and normalized")
def test_it_keeps_gymnasiums_contract():
    check_env(CountingEnv(render_fps=20.0), skip_render_check=True)


@pytest.mark.parametrize("name", ["terminate_at", "truncate_at"])
def test_it_ends_at_its_tick_in_every_episode(name):
    env = CountingEnv(**{name: 3})
    for _ in range(2):
        env.reset()
        flags = [env.step(np.array([0.0]))[2:4] for _ in range(3)]
        assert flags == [(False, False)] * 2 + [(name == "terminate_at", name == "truncate_at")]


def test_the_reward_names_the_action_and_the_observation_the_tick():
    env = CountingEnv()
    env.reset()
    assert [(env.step(np.array([a]))[:2]) for a in (5.0, 7.0)] == [(np.array([1.0]), 5.0), (np.array([2.0]), 7.0)]


def test_only_a_given_rate_is_told():
    assert "render_fps" not in CountingEnv().metadata
    assert CountingEnv(render_fps=20.0).metadata["render_fps"] == 20.0
