"""Generalised advantages of decisions that last one tick, several, or end in the middle."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.clock import discounted_sum
from chunkenv.sb3 import ChunkA2C, ChunkRolloutBuffer, make_sb3_env
from tests.sb3.worlds import Line


def fill(rewards, discounts, values, starts, gae_lambda, gamma=0.9):
    """A buffer of the given decisions, [decisions, environments] each."""
    count, envs = np.shape(rewards)
    env = make_sb3_env(Line, prediction_horizon=1)
    buffer = ChunkRolloutBuffer(
        count, env.observation_space, env.action_space, "cpu", gae_lambda=gae_lambda, gamma=gamma, n_envs=envs
    )
    for row in range(count):
        buffer.expect(np.float32(rewards[row]), np.float64(discounts[row]))
        buffer.add(
            np.zeros((envs, 1)),
            np.zeros((envs, 2)),
            np.float32(rewards[row]),
            np.float32(starts[row]),
            torch.tensor(values[row]),
            torch.zeros(envs),
        )
    return buffer


def test_a_semi_mdp_worked_by_hand():
    """Discount 0.5 a tick, lambda 0.5. Decisions of 2, 1 and 3 ticks, the last of which ends the task.

    R = 1 + 0.5 * 1 = 1.5; 2; 4 + 0.5 * 0 + 0.25 * 4 = 5            v = 8, 4, 2, and 99 after the reset
    g = 0.25, 0.5, 0 (terminated)
    delta: 1.5 + 0.25 * 4 - 8 = -5.5;  2 + 0.5 * 2 - 4 = -1;  5 - 2 = 3
    A: 3;  -1 + 0.5 * 0.5 * 3 = -0.25;  -5.5 + 0.25 * 0.5 * -0.25 = -5.53125
    """
    rewards = [[discounted_sum(ticks, 0.5)] for ticks in ([1, 1], [2], [4, 0, 4])]
    buffer = fill(rewards, [[0.25], [0.5], [0.0]], [[8.0], [4.0], [2.0]], [[1], [0], [0]], gae_lambda=0.5)
    buffer.compute_returns_and_advantage(torch.tensor([99.0]), np.array([True]))
    assert buffer.advantages.ravel().tolist() == [-5.53125, -0.25, 3.0]
    assert buffer.returns.ravel().tolist() == [8 - 5.53125, 3.75, 5.0]


def test_an_unfinished_rollout_bootstraps_with_its_own_discount():
    buffer = fill([[1.0]], [[0.125]], [[2.0]], [[1]], gae_lambda=0.95)
    buffer.compute_returns_and_advantage(torch.tensor([8.0]), np.array([False]))
    assert buffer.advantages.item() == 1.0 + 0.125 * 8.0 - 2.0


@st.composite
def decisions(draw):
    """Decisions of random length; each may end its episode, as the task or as a limit."""
    count = draw(st.integers(1, 6))
    number = st.floats(-4, 4, width=16)
    return [
        {
            "rewards": draw(st.lists(number, min_size=1, max_size=4)),
            "value": draw(number),
            "end": draw(st.sampled_from(["no", "no", "terminated", "truncated"])),
            "terminal_value": draw(number),
        }
        for _ in range(count)
    ]


def brute_force(path, last_value, discount, gae_lambda):
    """The mean of all n-decision returns, weighted as lambda says, summed over control steps one by one."""
    advantages = []
    for start in range(len(path)):
        returns, paid, weight = [], 0.0, 1.0
        for index in range(start, len(path)):
            decision = path[index]
            for reward in decision["rewards"]:
                paid += weight * reward
                weight *= discount
            after = path[index + 1]["value"] if index + 1 < len(path) else last_value
            after = {"no": after, "terminated": 0.0, "truncated": decision["terminal_value"]}[decision["end"]]
            returns.append(paid + weight * after)
            if decision["end"] != "no":
                break
        last = len(returns) - 1
        weights = [(1 - gae_lambda) * gae_lambda**i if i < last else gae_lambda**i for i in range(len(returns))]
        advantages.append(np.dot(weights, returns) - path[start]["value"])
    return advantages


@settings(deadline=None)
@given(
    decisions(), st.floats(-4, 4, width=16), st.sampled_from([0.5, 0.9, 1.0]), st.sampled_from([0.0, 0.5, 0.95, 1.0])
)
def test_advantages_against_brute_force(path, last_value, discount, gae_lambda):
    """Fed as Stable-Baselines3 does: it adds its gamma times the terminal value to a truncation's reward."""
    gamma = 0.9
    env = make_sb3_env(Line, prediction_horizon=1)
    buffer = ChunkRolloutBuffer(
        len(path), env.observation_space, env.action_space, "cpu", gae_lambda=gae_lambda, gamma=gamma
    )
    start = 1.0
    for decision in path:
        raw = np.float32([discounted_sum(decision["rewards"], discount)])
        ticks = len(decision["rewards"])
        buffer.expect(raw, np.array([0.0 if decision["end"] == "terminated" else discount**ticks]))
        extra = gamma * decision["terminal_value"] if decision["end"] == "truncated" else 0.0
        value = torch.tensor([decision["value"]])
        buffer.add(
            np.zeros((1, 1)), np.zeros((1, 2)), raw + np.float32(extra), np.array([start]), value, torch.zeros(1)
        )
        start = float(decision["end"] != "no")
    buffer.compute_returns_and_advantage(torch.tensor([last_value]), np.array([start == 1.0]))
    expected = brute_force(path, last_value, discount, gae_lambda)
    np.testing.assert_allclose(buffer.advantages.ravel(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("terminates", [True, False])
def test_an_episode_that_ends_inside_a_chunk(terminates):
    """Line pays 1, 2, 4, 8, 16 and ends; H = s = 3: decisions of 3 and 2 ticks. A2C's values are set to 10 or 20."""
    env = make_sb3_env(partial(Line, end=5, terminates=terminates), prediction_horizon=3, discount=0.5)
    model = ChunkA2C("MlpPolicy", env, n_steps=3, gae_lambda=1.0, device="cpu", seed=0)
    values = {0: 10.0, 3: 20.0, 5: 30.0}

    def value_of(observations):
        return torch.tensor([[values[int(tick)]] for tick in observations.flatten()])

    model.policy.predict_values = value_of
    forward = model.policy.forward
    model.policy.forward = lambda seen, deterministic=False: _valued(forward(seen, deterministic), value_of(seen))
    model.learn(3)
    buffer = model.rollout_buffer
    second = 8 + 0.5 * 16 + (0 if terminates else 0.25 * 30)
    first = 1 + 0.5 * 2 + 0.25 * 4 + 0.125 * second
    third = 1 + 0.5 * 2 + 0.25 * 4 + 0.125 * 20
    np.testing.assert_allclose(buffer.returns.ravel(), [first, second, third], rtol=1e-6)


def _valued(outputs, values):
    actions, _, log_probs = outputs
    return actions, values, log_probs
