"""CFGRL where the guided policy is known: a Gaussian world with goals, and a reward that is the action."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.cfgrl import CFGRL, CFGRLSettings
from chunkenv.agents.policies.chunk_policy import ChunkPolicy
from chunkenv.agents.policies.flow_sampler import FlowSampler
from chunkenv.agents.policies.guided_policy import GuidedPolicy
from chunkenv.agents.registry import load_agent
from chunkenv.data import Episode, write_episodes
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ReplayBuffer
from chunkenv.data.windows.goal_windows import GoalWindows
from chunkenv.errors import ArgumentError
from chunkenv.strategies import RTC, cost_of
from tests.agents.nets.test_guided_flow import request as vector_request

UPDATES, STEPS = 500, 8
ONE = Horizons(chunk=1, backup=1)
GAIN, SPREAD, DRIFT = 0.5, 0.4, 0.1
"""A tick moves by GAIN times the action, which has this SPREAD, and by a DRIFT that nobody controls."""
make = partial(CFGRLSettings, hidden=(32, 32), learning_rate=5e-3, batch=128, steps=STEPS, polyak=0.05)


def world(folder, count=4000):
    """Episodes of one tick each: the only goal is where it led."""
    rng = np.random.default_rng(0)
    actions, drifts = rng.normal(0, SPREAD, (count, 1)), rng.normal(0, DRIFT, (count, 1))
    starts = rng.uniform(-1, 1, (count, 1))
    ends = starts + GAIN * actions + drifts
    episodes = [
        Episode(np.float32([[start], [end]]).reshape(2, 1), np.float32([action]).reshape(1, 1), np.zeros(1), False,
                False, 0, 0) for start, end, action in zip(starts, ends, actions, strict=True)
    ]  # fmt: skip
    return write_episodes(folder, episodes, {"level": "line"})


def learn(agent, sample, updates=UPDATES):
    for update in range(updates):
        agent, info = agent.update(sample(np.random.default_rng([0, update]), agent.settings.batch))
    return agent, info


@pytest.fixture(scope="module")
def goal_agent(tmp_path_factory):
    windows = GoalWindows(world(tmp_path_factory.mktemp("world") / "data"), ONE)
    return learn(CFGRL.create(0, 2, 1, make(form="goal", goal_size=1, horizons=ONE)), windows.sample)[0]


@pytest.fixture(scope="module")
def advantage_agent():
    """Rewards are the actions, uniform in [-1, 1]: the expectile .9 of the value is .5."""
    rng, count = np.random.default_rng(0), 4000
    actions = rng.uniform(-1, 1, (count, 1)).astype(np.float32)
    seen = np.zeros((count, 1), np.float32)
    ones = np.ones(count, np.int64)
    replay = ReplayBuffer.from_episodes(seen, actions, actions[:, 0], ones.astype(bool), ones, seen)
    settings = make(form="advantage", expectile=0.9, horizons=ONE)
    return learn(CFGRL.create(0, 1, 1, settings), lambda rng, batch: replay.sample(rng, batch, ONE))


def means(agent, observations, weight, count=1000):
    """The mean action for each observation, over many draws."""
    agent, none = agent.with_guidance(weight), jnp.zeros((count, 0, 1))
    return np.array([
        float(agent.sample_chunk(jnp.tile(seen, (count, 1)), none, jnp.zeros(count, int), jax.random.key(3)).mean())
        for seen in jnp.asarray(observations)
    ])  # fmt: skip


def known_mean(aim, weight):
    """The mean that Euler steps along the true velocities lead to; velocities of Gaussians are linear."""
    variance = GAIN**2 * SPREAD**2 + DRIFT**2
    told = (GAIN * SPREAD**2 / variance * aim, np.sqrt(SPREAD**2 - (GAIN * SPREAD**2) ** 2 / variance))
    mean = 0.0
    for time in np.arange(STEPS) / STEPS:
        velocities = []
        for centre, spread in ((0.0, SPREAD), told):
            pull = (spread**2 * time - (1 - time)) / ((spread * time) ** 2 + (1 - time) ** 2)
            velocities.append(pull * mean + (1 - pull * time) * centre)
        mean += (velocities[0] + weight * (velocities[1] - velocities[0])) / STEPS
    return mean


@pytest.mark.parametrize("weight", [0.0, 1.0, 2.0])
def test_a_goal_pulls_as_far_as_its_weight_says(goal_agent, weight):
    aims = np.array([-0.15, 0.0, 0.2])
    seen = np.column_stack([np.full(3, 0.3), 0.3 + aims])
    expected = np.array([known_mean(aim, weight) for aim in aims])
    np.testing.assert_allclose(means(goal_agent, seen, weight), expected, atol=0.08 * max(1, weight))


def test_what_is_better_than_usual_is_told_apart_and_exaggerated(advantage_agent):
    agent, info = advantage_agent
    assert float(info["value"]) == pytest.approx(0.5, abs=0.06)
    blind, told, more = (means(agent, [[0.0]], weight)[0] for weight in (0.0, 1.0, 3.0))
    assert blind == pytest.approx(0.0, abs=0.12)
    assert told == pytest.approx(0.75, abs=0.08)
    assert more > told + 0.03


def test_a_window_that_a_limit_cut_is_told_nothing():
    """Its return is not known: whatever the critics say, the flow learns it as if left out."""
    settings = make(form="advantage", left_out=0.0, horizons=ONE)
    agent = CFGRL.create(0, 1, 1, settings)
    replay = ReplayBuffer(8, 1, 1)
    replay.add([0.0], [0.5], 1.0, [0.0], terminated=False, truncated=True)
    batch = replay.sample(np.random.default_rng(0), 32, Horizons(chunk=1, backup=1))
    cut = batch._replace(counted=np.zeros(32, np.float32))
    learned = agent.update(cut)[0].params["told"] != agent.params["told"]
    assert learned.any(axis=1).tolist() == [True, False, False]


def test_sub_goals_are_drawn_on_the_way_and_chunks_for_them(tmp_path):
    """All episodes go up by .1 a tick: half way to a goal is what held n ticks later."""
    rows = np.arange(9, dtype=np.float32)[:, None] / 10
    episodes = [Episode(rows + shift, np.full((8, 1), 0.5), np.zeros(8), False, False, 0, 0) for shift in (0.0, 0.3)]
    dataset = write_episodes(tmp_path / "data", episodes, {"level": "stairs"})
    horizons = Horizons(chunk=2, backup=3)
    settings = make(form="subgoals", goal_size=1, horizons=horizons, guidance=1.0)
    agent, _ = learn(CFGRL.create(0, 2, 1, settings), GoalWindows(dataset, horizons).sample)
    seen, none = jnp.array([[0.2, 0.8], [0.2, 0.3]] * 100), jnp.zeros((200, 0, 1))
    toward = agent.toward_subgoals(seen, none, jnp.zeros(200, int), jax.random.key(0))
    assert jnp.array_equal(toward[:, :1], seen[:, :1])
    np.testing.assert_allclose(toward[::2, 1].mean(), 0.5, atol=0.05)  # three ticks of six
    np.testing.assert_allclose(toward[1::2, 1].mean(), 0.3, atol=0.05)  # the goal itself comes sooner
    chunks = agent.sample_chunk(seen, none, jnp.zeros(200, int), jax.random.key(1))
    np.testing.assert_allclose(chunks.mean(axis=0), 0.5, atol=0.1)


def test_a_weight_of_1_plays_the_conditional_policy_to_the_bit(goal_agent):
    seen = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    flow = goal_agent.guided_flow.flow
    asked = vector_request(5)._replace(rng=tuple(np.random.default_rng(row) for row in range(5)))
    again = asked._replace(rng=tuple(np.random.default_rng(row) for row in range(5)))
    policy = GuidedPolicy(goal_agent).with_guidance(1.0)
    informed = np.column_stack([seen, np.ones(5, np.float32)])
    plain = FlowSampler(flow, 1, 1, 0, False).infer_batch(informed, again).clip(-1, 1)
    assert np.array_equal(policy.infer_batch(seen, asked), plain)


def test_the_cost_tells_of_both_evaluations(goal_agent):
    one, two = (GuidedPolicy(goal_agent).with_guidance(weight) for weight in (1.0, 3.0))
    assert (cost_of(one).evaluations, cost_of(two).evaluations) == (STEPS, 2 * STEPS)
    assert cost_of(two).flops == 2 * cost_of(one).flops
    assert (RTC(two).cost.evaluations, RTC(two).cost.vjps) == (2 * STEPS, 2 * STEPS)


def test_observations_of_a_goal_conditioned_environment_are_the_vectors(goal_agent):
    seen = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    parts = {"observation": seen[:, :1], "achieved_goal": seen[:, :1], "desired_goal": seen[:, 1:]}
    for policy in (GuidedPolicy(goal_agent), ChunkPolicy(goal_agent)):
        asked = vector_request(5, 0)._replace(prefix=np.zeros((5, 0, 1), np.float32))
        answers = [
            policy.infer_batch(each, asked._replace(rng=tuple(map(np.random.default_rng, range(5)))))
            for each in (seen, parts)
        ]
        assert np.array_equal(*answers)


def test_a_file_brings_the_agent_back_to_the_bit(goal_agent, tmp_path):
    goal_agent.save(tmp_path / "agent.safetensors")
    back = load_agent(tmp_path / "agent.safetensors")
    assert isinstance(back, CFGRL)
    assert back.settings == goal_agent.settings
    for one, other in zip(jax.tree.leaves(back), jax.tree.leaves(goal_agent), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"form": "goal", "goal_size": 0}, "goal_size=0 is too small"),
        ({"form": "better"}, "form='better' is unknown"),
        ({"form": "advantage", "guidance": float("nan")}, "guidance=nan is not a finite number of at least 0"),
        ({"form": "advantage", "left_out": 2.0}, "left_out=2.0 is not a finite number from 0 to 1"),
    ],
)
def test_settings_that_cannot_be_meant(asked, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        CFGRLSettings(**asked)


def test_a_weight_that_is_none(goal_agent):
    with pytest.raises(ArgumentError, match="guidance=inf is not a finite number"):
        goal_agent.with_guidance(float("inf"))
