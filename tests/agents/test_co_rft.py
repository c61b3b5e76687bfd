"""CO-RFT on a chain whose values are known for every length of a chunk."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from chunkenv.agents.co_rft import CORFT, CORFTSettings
from chunkenv.agents.common.causal_critics import values_by_length
from chunkenv.agents.common.critics import critic_values
from chunkenv.agents.policies.behaviour_policy import chunk_values
from chunkenv.agents.registry import load_agent, settings_for
from chunkenv.data.horizons import Horizons
from chunkenv.data.windows.every_length import EveryLength
from chunkenv.errors import ArgumentError
from tests.agents import chain

UNDELAYED = Horizons(chunk=3, backup=3, discount=0.9)
DELAYED = Horizons(chunk=2, backup=2, delay=1, discount=0.9)


def small(horizons: Horizons, **given: object) -> CORFTSettings:
    quick = dict(hidden=(64, 64), learning_rate=3e-3, polyak=0.05, samples=16, steps=5, batch=64)
    schedule = dict(actor="distilled", imitation=200, warm_up=100, conservatism=0.0)
    return CORFTSettings(**{**quick, **schedule, **given}, horizons=horizons)


def trained(horizons: Horizons, updates: int = 1500, **given: object) -> CORFT:
    agent = CORFT.create(0, chain.STATES + 1, 1, small(horizons, **given))
    return chain.learn(agent, [EveryLength(chain.experience(5000), horizons)], updates)


def truth(horizons: Horizons, length: int) -> dict[tuple[int, chain.Rows], float]:
    """The value of so many rows behind the prefix: the rewards, and then the best of 16 whole chunks."""
    states = chain.by_state(chain.chunk_values(horizons, chain.best_of(16)), horizons, chain.best_of(16))
    shorter, table = SimpleNamespace(backup=length, discount=horizons.discount), {}
    for state in range(chain.STATES):
        for rows in itertools.product(chain.SIGNS, repeat=length + horizons.delay):
            reward, following = chain.outcome(state, rows, shorter)  # pyright: ignore[reportArgumentType]
            later = 0.0 if following is None else states[chain.state_of(following, horizons)]
            table[state, rows] = reward + horizons.discount**length * later
    return table


def errors(agent: CORFT, length: int) -> np.ndarray:
    """What the critics are off by for every state and every so many rows."""
    settings = agent.settings
    observations, rows, wanted = chain.places(truth(settings.horizons, length))
    padded = np.pad(rows, ((0, 0), (0, settings.valued - length), (0, 0)), constant_values=0.7)
    values = values_by_length(agent.params["critics"], observations, padded, settings.valued)
    return np.asarray(values.mean(axis=0)[:, length - 1]) - wanted


@pytest.mark.slow
def test_values_of_every_length_are_the_true_ones_under_delay():
    agent = trained(DELAYED)
    assert [np.abs(errors(agent, length)).mean() < 0.06 for length in (1, 2)] == [True, True]


@pytest.mark.slow
@pytest.mark.parametrize("actor", ["distilled", "flow"])
def test_values_of_every_length_are_the_true_ones(actor):
    agent = trained(UNDELAYED, actor=actor)
    assert max(np.abs(errors(agent, length)).mean() for length in (1, 2, 3)) < 0.06


@pytest.fixture(scope="module")
def untrained() -> CORFT:
    return CORFT.create(0, chain.STATES + 1, 1, small(DELAYED, hidden=(8, 8)))


@pytest.fixture(scope="module")
def batch():
    return EveryLength(chain.experience(300), DELAYED).sample(np.random.default_rng(0), 64, DELAYED)


def test_a_value_depends_on_the_rows_up_to_its_length_and_on_no_later_one(untrained):
    rng, critics = np.random.default_rng(0), untrained.params["critics"]
    observations, rows = rng.normal(size=(6, 5)), rng.normal(size=(6, 3, 1)).astype(np.float32)
    values = np.asarray(values_by_length(critics, observations, rows, 2))
    for row in range(3):  # the prefix is row 0; values are of the rows up to 1, and up to 2
        changed = rows.copy()
        changed[:, row] += 1
        same = np.asarray(values_by_length(critics, observations, changed, 2)) == values
        assert [bool(same[..., column].all()) for column in (0, 1)] == [row > 1, False]
    assert np.allclose(values[..., -1], critic_values(critics, observations, rows), atol=1e-6)


@pytest.mark.no_cover
@pytest.mark.parametrize("calibrated", [True, False])
def test_values_are_held_down_to_the_return_in_the_data_and_no_lower(untrained, batch, calibrated):
    """The penalty by hand, of a policy whose values are above the return in one half of the windows."""
    agent = replace(untrained, settings=replace(untrained.settings, conservatism=0.5, calibrated=calibrated))
    chunks, key = batch.actions, jax.random.key(0)
    own = agent._decide(batch.observations, chunks[:, :1], np.ones(64, int), jax.random.split(key)[1])
    q, other = (values_by_length(agent.params["critics"], batch.observations, rows, 2) for rows in (chunks, own))
    returns = np.quantile(other, 0.5) + np.linspace(-1, 1, 64).astype(np.float32)
    loss, info = agent._critic_loss(agent.params["critics"], batch._replace(returns=returns), chunks, key)
    high = np.maximum(other, returns[:, None]) if calibrated else other
    counted = np.broadcast_to(batch.counted, q.shape) > 0
    penalty = 0.5 * np.abs(returns).mean() * (high - q)[counted].mean()
    assert float(loss - info["td_loss"]) == pytest.approx(float(penalty), rel=1e-3)


@pytest.mark.slow
def test_calibrated_values_stay_among_the_returns_and_uncalibrated_ones_do_not():
    """The deterministic policy does what is never done in the data, so that nothing but the returns holds values up."""
    data = EveryLength(chain.experience(5000), UNDELAYED)
    least, most = data.bounds
    observations = np.eye(chain.STATES, chain.STATES + 1, dtype=np.float32)
    for calibrated in (True, False):
        given = dict(actor="td3-bc", conservatism=0.5, calibrated=calibrated, alpha=0.0)
        agent = trained(UNDELAYED, **given)
        chunks = agent.sample_chunk(observations, np.zeros((4, 0, 1)), np.zeros(4, int), jax.random.key(0))
        values = chunk_values(agent)(observations, np.asarray(chunks))
        within = least - 0.5 <= values.min() and values.max() <= most + 0.5
        assert within == calibrated


@pytest.mark.slow
def test_td3_bc_goes_for_the_prize_where_imitation_does_not():
    observations = np.eye(chain.STATES, chain.STATES + 1, dtype=np.float32)
    first = []
    for imitation in (200, 1500):
        agent = trained(UNDELAYED, actor="td3-bc", alpha=20.0, imitation=imitation)
        chunks = agent.sample_chunk(observations, np.zeros((4, 0, 1)), np.zeros(4, int), jax.random.key(0))
        first.append(np.asarray(chunks)[:, 0, 0])
    assert (first[0] > 0.2).all()
    assert (np.abs(first[1]) < 0.2).all()


def test_while_it_imitates_no_critic_learns(untrained, batch):
    agent, info = untrained.update(batch)
    critics = zip(jax.tree.leaves(agent.params["critics"]), jax.tree.leaves(untrained.params["critics"]), strict=True)
    assert all(np.array_equal(new, old) for new, old in critics)
    assert info["critic_loss"] == 0 < info["flow_loss"]


def test_a_critic_of_one_step_sees_one_row_and_is_saved_to_the_bit(batch, tmp_path):
    agent = CORFT.create(0, chain.STATES + 1, 1, small(DELAYED, hidden=(8, 8), lengths=1, actor="td3-bc", imitation=0))
    agent, info = agent.update(batch)
    assert info["critic_loss"] > 0
    chunks = batch.actions[:4].copy()
    values = chunk_values(agent)(batch.observations[:4], chunks)
    chunks[:, 2] += 1
    assert np.array_equal(chunk_values(agent)(batch.observations[:4], chunks), values)
    agent.save(tmp_path / "agent.safetensors")
    other = load_agent(tmp_path / "agent.safetensors")
    assert other.settings == agent.settings
    pairs = zip(jax.tree.leaves(other), jax.tree.leaves(agent), strict=True)
    assert all(np.array_equal(one, two) for one, two in pairs)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(actor="td4"), "actor='td4'"),
        (dict(lengths=6), "lengths=6 is more than chunk=5"),
        (dict(lengths=0), "lengths=0"),
        (dict(imitation=-1), "imitation=-1"),
        (dict(conservatism=float("nan")), "conservatism=nan"),
        (dict(calibrated=1), "calibrated=1"),
        (dict(backup=9), "backup=9 is not chunk=5"),
        (dict(discount=1.0), "discount=1.0"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, said):
    with pytest.raises(ArgumentError, match=said):
        settings_for("co-rft", **given)
