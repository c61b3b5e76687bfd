"""Our tasks in one call per step are the same environment by environment, to the bit."""

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.latency import LogNormal
from chunkenv.sb3 import SB3VecEnv, chunk_ppo, make_sb3_env
from chunkenv.sb3.native import is_native
from chunkenv.vector import ChunkedVectorExecution

CATAPULT = "chunkenv/kinetix-catapult-v0"
SEEN = {
    CATAPULT: {"observation": "compact", "reward": "penalty", "max_episode_steps": 20},
    "chunkenv/manip-cube-single-task1-v0": {"reward": "sparse", "max_episode_steps": 20},
    "chunkenv/manip-scene-v0": {"max_episode_steps": 20},
}


@pytest.fixture(params=[*list(SEEN)[:2], pytest.param("chunkenv/manip-scene-v0", marks=pytest.mark.slow)])
def env_id(request):
    pytest.importorskip("ogbench" if "manip" in request.param else "numba")
    return request.param


def native(env_id=CATAPULT, **arguments):
    return make_sb3_env(env_id, 3, env_kwargs=SEEN[env_id], seed=4, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"prediction_horizon": 1},
        {"prediction_horizon": 6, "execution_horizon": 4, "latency": 2},
        {"prediction_horizon": 6, "latency": LogNormal(0.05, 0.8), "observe_prefix": True},
        {"prediction_horizon": 3, "latency": 2, "underrun": "stop"},
    ],
    ids=["one tick", "late", "random", "stopped"],
)
def test_native_and_member_by_member_agree(arguments, env_id):
    ours, theirs = (
        native(env_id, **arguments),
        make_sb3_env(lambda: gym.make(env_id, **SEEN[env_id]), 3, seed=4, **arguments),
    )
    assert isinstance(ours.unwrapped, SB3VecEnv)
    assert ours.action_space == theirs.action_space
    assert ours.observation_space == theirs.observation_space
    assert_same(ours.reset(), theirs.reset())
    rng, ends = np.random.default_rng(0), 0
    for _ in range(45):
        chunks = rng.uniform(-1, 1, (3, *ours.action_space.shape)).astype(np.float32)
        seen, rewards, dones, infos = ours.step(chunks)
        expected, *rest, expected_infos = theirs.step(chunks)
        assert_same(seen, expected)
        np.testing.assert_array_equal([rewards, dones], rest)
        for mine, yours in zip(infos, expected_infos, strict=True):
            assert_same_info(mine, yours)
        ends += dones.sum()
    assert ends >= 6


def assert_same(seen, expected):
    if isinstance(seen, dict):
        assert seen.keys() == expected.keys()
    keys = seen if isinstance(seen, dict) else [...]
    for key in keys:
        np.testing.assert_array_equal(seen[key], expected[key])


def assert_same_info(mine, yours):
    mine, yours = dict(mine), dict(yours)
    mine_end, yours_end = mine.pop("episode", None), yours.pop("episode", None)
    assert (mine_end is None) == (yours_end is None)
    if mine_end:
        assert (mine_end["r"], mine_end["l"]) == (yours_end["r"], yours_end["l"])
        assert_same(mine.pop("terminal_observation"), yours.pop("terminal_observation"))
    assert mine.pop("episode_return", None) == pytest.approx(yours.pop("episode_return", None), abs=1e-9)
    assert mine == yours


def test_what_wraps_it_is_found():
    env = native(prediction_horizon=2)
    assert env.env_is_wrapped(ChunkedVectorExecution) == [True] * 3
    assert env.get_attr("discount") == [0.99] * 3


def test_ppo_learns_on_it():
    chunk_ppo(native(prediction_horizon=4, latency=1), n_steps=32, batch_size=32, device="cpu").learn(96)


def test_a_window_of_each_is_not_native():
    assert is_native(CATAPULT, {"render_mode": "rgb_array"})
    assert not is_native(CATAPULT, {"render_mode": "human"})
    assert not is_native("CartPole-v1", {})
    assert not is_native(lambda: gym.make(CATAPULT), {})
