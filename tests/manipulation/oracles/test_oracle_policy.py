"""The oracle in chunks: delays change nothing where the model is exact, and it plans from where the world will be."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import ClipAction

from chunkenv import ActionNoise, ChunkedExecution, Request, evaluate
from chunkenv.errors import ArgumentError
from chunkenv.manipulation.oracles.oracle_policy import OraclePolicy
from chunkenv.testing import PolicyContract
from tests.manipulation.oracles.test_oracle import solved

H, S = 8, 4


def make_env(family="cube-single", task=1, delay=2, noise=0.0):
    world = gym.make(f"chunkenv/manip-{family}-task{task}-v0", observation="state")
    return ChunkedExecution(ActionNoise(ClipAction(world), noise) if noise else world, H, S, latency=delay)


def play(family, delay, noise=0.0):
    return evaluate(lambda: make_env(family, 1, delay, noise), OraclePolicy(family, H), episodes=1, seed=0)[0]


class TestOraclePolicy(PolicyContract):
    decisions = 6

    def make_policy(self):
        return OraclePolicy("cube-single", H)

    def make_env(self):
        return make_env()


def test_no_delay_costs_a_tick_where_the_model_is_exact():
    rows = [play("cube-single", delay) for delay in (0, 2, 4)]
    assert [row["success"] for row in rows] == [True] * 3
    assert len({row["ticks"] for row in rows}) == 1
    assert rows[0]["ticks"] == solved("cube-single", 1, rows[0]["seed"])[1]


def test_it_goes_on_under_noise():
    assert play("cube-single", delay=4, noise=0.1)["success"]


def test_the_first_rows_are_the_prefix_and_the_rest_is_planned_from_its_end():
    env, policy = make_env(), OraclePolicy("cube-single", H)
    state, _ = env.reset(seed=3)
    prefix = np.full((2, 5), 0.5, np.float32)
    chunk = policy.infer(state, Request(0, prefix, 2, 2, S, prefix))
    np.testing.assert_array_equal(chunk[:2], prefix)
    world = env.unwrapped
    for action in prefix:
        world.step(action)
    moved = OraclePolicy("cube-single", H).infer(world.get_state(), Request(0, prefix[:0], 0, 0, S, prefix[:0]))
    np.testing.assert_array_equal(chunk[2:], moved[: H - 2])


def test_a_naive_policy_plans_from_what_it_sees():
    env, none, prefix = make_env(), np.zeros((0, 5), np.float32), np.full((2, 5), 0.5, np.float32)
    state, _ = env.reset(seed=3)
    naive = OraclePolicy("cube-single", H, prefix_aware=False).infer(state, Request(0, prefix, 2, 2, S, prefix))
    undelayed = OraclePolicy("cube-single", H).infer(state, Request(0, none, 0, 0, S, none))
    np.testing.assert_array_equal(naive, undelayed)


def test_it_counts_what_it_simulates():
    policy, none = OraclePolicy("cube-single", H), np.zeros((0, 5), np.float32)
    state, _ = make_env().reset(seed=0)
    policy.infer(state, Request(0, none, 0, 0, S, none))
    assert policy.ticks_simulated == H


@pytest.mark.parametrize("wrong", [np.zeros(28, np.float32), np.full(200, np.nan), "a state"])
def test_what_is_no_state_is_refused(wrong):
    none = np.zeros((0, 5), np.float32)
    with pytest.raises(ArgumentError, match="state"):
        OraclePolicy("cube-single", H).infer(wrong, Request(0, none, 0, 0, S, none))


def test_a_horizon_of_nothing_is_refused():
    with pytest.raises(ArgumentError, match="prediction_horizon=0"):
        OraclePolicy("cube-single", 0)
