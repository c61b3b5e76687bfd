"""A linear policy is its own linearisation: the reflex does what asking it at every tick would."""

import copy

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ChunkedExecution, ChunkedVectorExecution
from chunkenv.errors import ArgumentError
from chunkenv.strategies import JacobianReflex
from chunkenv.strategies.prediction.jacobian_reflex import shifted
from chunkenv.testing import StrategyContract
from tests.strategies.linear_world import LinearModel, LinearWorld
from tests.strategies.policies import Denoising, Network, requests

GAIN = np.random.default_rng(3).normal(size=(2, 8, 2)) * 0.1
MIX = np.random.default_rng(4).normal(size=(16, 16)) * 0.1


class Linear(Denoising):
    """Chunks that are linear in the observation and in the noise; `bend` adds the square of the observation."""

    action_size, steps = 2, 1

    def __init__(self, bend=0.0):
        self.bend = bend

    def velocity(self, observations, chunks, time):
        flat = chunks.reshape(len(chunks), -1) @ MIX
        seen = observations + self.bend * observations**2
        return (np.einsum("no,oha->nha", seen, GAIN) + flat.reshape(chunks.shape) - chunks).astype(np.float32)

    def observation_jvp(self, observations, noise, directions):
        chunks = np.asarray(self.to_actions(noise + self.velocity(observations, noise, 0.0)))
        slope = directions * (1 + 2 * self.bend * observations)
        return chunks, (self.scale * np.einsum("no,oha->nha", slope, GAIN)).astype(np.float32)

    def first_action(self, observation, noise):
        return self.observation_jvp(observation[None], noise[None], observation[None])[0][0, 0]


def play(strategy, noise, decisions=4, delay=2, horizon=3, correction=True):
    """Infos, what was observed before each tick, and the noise of each decision."""
    options = dict(latency=delay, info="full", correction=strategy if correction else None)
    env = ChunkedExecution(LinearWorld(noise), 8, horizon, **options)
    observation, _ = env.reset(seed=0)
    seen, infos, drawn = [observation], [], []
    for index in range(decisions):
        rng = np.random.default_rng(index)
        drawn.append(copy.deepcopy(rng).standard_normal((8, 2), np.float32))
        chunk = strategy.infer(observation, env.request._replace(rng=rng))
        observation, *_, info = env.step(chunk)
        infos.append(info)
        seen += info["observations"]
    return infos, seen, drawn


class Counting(Linear):
    """Counts the chunks that it is asked for."""

    def compile(self, loop):
        self.asked = 0

        def run(observations, noise):
            self.asked += len(noise)
            return loop(self, observations, noise)

        return run


def test_rows_that_run_anyway_and_environments_that_do_not_play_are_left_out():
    """64 environments with prefixes of 4 of 8 rows, a quarter of which play: a chunk of each, and one for 64 rows."""
    rng, playing = np.random.default_rng(5), np.arange(64) % 4 == 0
    observations, request = rng.normal(size=(64, 2)), requests(rng.normal(size=(64, 8, 2)), [8] * 64, delay=4)
    plain, sparing = JacobianReflex(Counting(), LinearModel()), JacobianReflex(Counting(), LinearModel())
    expected = plain.infer_batch(observations, copy.deepcopy(request))
    found = sparing.infer_batch(observations, request._replace(playing=playing))
    np.testing.assert_array_equal(found[playing], expected[playing])
    assert (plain.policy.asked, sparing.policy.asked) == (64 + 256, 64 + 64)
    asked = observations, np.zeros((64, 2)), np.where(playing, 4, -1), request.tick + 4, ()
    corrections = plain.correct_batch(*asked)
    assert np.abs(corrections[playing]).min() > 0
    np.testing.assert_array_equal(sparing.correct_batch(*asked), corrections)


def test_it_is_what_the_policy_would_answer_at_every_tick():
    """Of chunk 1 on, whatever the noise of the world: at tick t, the first action for x_t with the row's own noise."""
    policy = Linear()
    infos, seen, drawn = play(JacobianReflex(policy, LinearModel(), limit=1e9), noise=0.5)
    actions, corrections = [], []
    for info in infos:
        actions += info["actions"]
        corrections += [np.abs(a - b).max() for a, b in zip(info["actions"], info["base_actions"], strict=True)]
    assert len(actions) == 12
    for tick, action in enumerate(actions):
        chunk = max((tick - 2) // 3, 0)  # chunk k is requested at 3 k, and acts from 3 k + 2 on
        noise = shifted(drawn[chunk][None])[0, tick - 3 * chunk]
        np.testing.assert_allclose(action, policy.first_action(seen[tick], noise), atol=1e-4)
    assert max(corrections[1:]) > 0.1


def test_where_the_prediction_is_right_nothing_is_corrected():
    """Without noise that is two ticks: then the robot has followed another answer than the policy had planned."""
    info = play(JacobianReflex(Linear(), LinearModel()), noise=0.0)[0][0]
    changes = np.abs(np.subtract(info["actions"], info["base_actions"])).max(axis=1)
    np.testing.assert_allclose(changes[:2], 0.0, atol=1e-5)
    assert changes[2] > 0.01


def test_the_correction_is_clipped():
    for info in play(JacobianReflex(Linear(), LinearModel(), limit=0.05), noise=2.0)[0]:
        change = np.abs(np.subtract(info["actions"], info["base_actions"]))
        assert change.max() <= 0.05 + 1e-5
    assert change.max() == pytest.approx(0.05, abs=1e-5)


def test_of_a_bent_policy_it_is_the_tangent():
    """An observation 0.01 off: the error of the linear answer is of second order."""
    policy, noise = Linear(bend=0.5), np.zeros((8, 2), np.float32)
    reflex = JacobianReflex(policy, LinearModel(), limit=9.0)
    there = np.array([1.0, -2.0])
    chunk = reflex.infer_batch(there[None], requests(np.zeros((1, 8, 2)), [0], ticks=[0]))[0]
    noise = requests(np.zeros((1, 8, 2)), [0]).rng[0].standard_normal((8, 2), np.float32)
    for off in (0.01, 0.1):
        change = reflex.correct(there + off, chunk[0], 0, 0, np.random.default_rng(0))
        error = np.abs(chunk[0] + change - policy.first_action(there + off, noise)).max()
        assert error <= 2.0 * off**2
        assert np.abs(change).max() > 4 * error


def test_the_chunk_begins_with_the_prefix_and_goes_on_where_it_leads():
    policy = Linear()
    request = requests(np.full((2, 8, 2), 2.0), [5, 5], delay=[2, 0])
    chunks = JacobianReflex(policy, LinearModel()).infer_batch(np.ones((2, 2)), request)
    noise = requests(np.zeros((2, 8, 2)), [5, 5]).rng[0].standard_normal((8, 2), np.float32)
    np.testing.assert_array_equal(chunks[0, :2], np.full((2, 2), 2.0))
    there = np.full(2, 0.9 * (0.9 + 2.0) + 2.0)
    np.testing.assert_allclose(chunks[0, 2], policy.first_action(there, shifted(noise[None])[0, 2]), atol=1e-5)


def vector_env(strategy, noise):
    envs = SyncVectorEnv([lambda: LinearWorld(noise)] * 3, autoreset_mode=AutoresetMode.DISABLED)
    return ChunkedVectorExecution(envs, 8, 3, latency=2, info="actions", correction=strategy)


def test_a_batch_is_corrected_as_one_by_one():
    """Environments in one batch, and each alone."""
    together = JacobianReflex(Linear(), LinearModel())
    envs = vector_env(together, noise=0.5)
    observations, _ = envs.reset(seed=7)
    rngs, found = tuple(np.random.default_rng(index) for index in range(3)), []
    for _ in range(4):
        chunks = together.infer_batch(observations, envs.request._replace(rng=rngs))
        observations, *_, infos = envs.step(chunks)
        found.append(infos["actions"])
    for index in range(3):
        alone = JacobianReflex(Linear(), LinearModel())
        env = ChunkedExecution(LinearWorld(0.5), 8, 3, latency=2, info="actions", correction=alone)
        observation, _ = env.reset(seed=7 + index)
        rng = np.random.default_rng(index)
        for decision in range(4):
            chunk = alone.infer(observation, env.request._replace(rng=rng))
            observation, *_, info = env.step(chunk)
            np.testing.assert_allclose(found[decision][index], info["actions"], atol=1e-5)


def test_where_no_row_acts_nothing_is_corrected_and_no_number_is_read():
    reflex = JacobianReflex(Linear(), LinearModel())
    request = requests(np.zeros((2, 8, 2)), [0, 0], ticks=[0, 5])
    chunks = reflex.infer_batch(np.ones((2, 2)), request)
    seen = np.array([[1.5, 1.0], [np.nan, 1.0]])
    change = reflex.correct_batch(seen, chunks[:, 0], np.array([0, -1]), np.array([0, 99]), request.rng)
    assert (change[0] != 0).any()
    assert (change[1] == 0).all()


def test_of_two_chunks_of_one_tick_the_newer_counts():
    """Two episodes, both with a request at tick 0."""
    reflex, row = JacobianReflex(Linear(), LinearModel()), np.zeros(2, np.float32)
    for x in (5.0, 1.0):
        reflex.infer_batch(np.full((1, 2), x), requests(np.zeros((1, 8, 2)), [0], ticks=[0]))
    np.testing.assert_array_equal(reflex.correct(np.ones(2), row, 0, 0, np.random.default_rng(0)), [0.0, 0.0])


def test_a_chunk_of_another_is_not_corrected():
    reflex, words = JacobianReflex(Linear(), LinearModel()), "let the same object infer and correct"
    with pytest.raises(ArgumentError, match=rf"requested at ticks \[4\].*{words}"):
        reflex.correct(np.ones(2), np.zeros(2), 2, 6, np.random.default_rng(0))
    reflex.infer_batch(np.ones((1, 2)), requests(np.zeros((1, 8, 2)), [0], ticks=[4]))
    reflex.correct(np.ones(2), np.zeros(2), 2, 6, np.random.default_rng(0))
    reflex.reset()
    with pytest.raises(ArgumentError, match=words):
        reflex.correct(np.ones(2), np.zeros(2), 2, 6, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("policy", "model", "options", "words"),
    [
        (Network(), LinearModel(), {}, "JacobianReflex needs a policy with observation_jvp"),
        (Linear(), object(), {}, "JacobianReflex was given model=.*which cannot predict"),
        (Linear(), LinearModel(), {"limit": -1.0}, "limit=-1.0"),
    ],
)
def test_what_it_cannot_work_with_is_refused(policy, model, options, words):
    with pytest.raises(ArgumentError, match=words):
        JacobianReflex(policy, model, **options)


def test_a_row_costs_a_chunk_and_its_derivative():
    assert JacobianReflex(Linear(), LinearModel()).cost[:2] == (9, 8)


class TestContract(StrategyContract):
    """All that holds for every strategy."""

    def make_policy(self):
        return JacobianReflex(Linear(), LinearModel())

    def make_env(self):
        return ChunkedExecution(gym.wrappers.TimeLimit(LinearWorld(), 20), 8, 4, latency=2)
