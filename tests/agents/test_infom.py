from __future__ import annotations

import itertools
from dataclasses import replace

import jax
import numpy as np
import pytest

from chunkenv.agents import registry
from chunkenv.agents.infom import InFOM, InFOMSettings
from chunkenv.agents.policies.behaviour_policy import BehaviourPolicy, chunk_values
from chunkenv.agents.policies.chunk_policy import ChunkPolicy
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ReplayBuffer
from chunkenv.errors import ArgumentError
from chunkenv.request import Request
from chunkenv.strategies import BestOf
from tests.agents import ring

DISCOUNT = 0.8
RING = dict(hidden=(64, 64), batch=256, learning_rate=2e-3, polyak=0.01, steps=4, policy_every=1000)
SMALL = dict(hidden=(8, 8), batch=8, latent=3, futures=2, steps=2)


def on_the_ring(chunk: int, **given) -> InFOM:
    settings = InFOMSettings(horizons=Horizons(chunk, chunk, discount=DISCOUNT), **{**RING, **given})
    return InFOM.create(0, 2, 1, settings)


def shares(agent: InFOM, chunk: tuple[int, ...], latents: np.ndarray) -> np.ndarray:
    """Of each place in 4,000 futures of place 0 after a chunk, in ten steps: with four the steps' own error shows."""
    agent = replace(agent, settings=replace(agent.settings, steps=10))
    seen = np.repeat(ring.seen(np.zeros(1)), len(latents), axis=0)
    rows = np.broadcast_to(np.array(chunk, np.float32)[:, None], (len(latents), len(chunk), 1))
    futures = agent.future_observations(seen, rows, latents, jax.random.key(0), 4000 // len(latents))
    places = ring.place_of(np.asarray(futures)).ravel()
    return np.bincount(places, minlength=ring.PLACES) / len(places)


def total_variation(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).sum() / 2)


def off_without_intentions(chunk: int, updates: int) -> float:
    """The total variation between true and drawn futures, on average over chunks."""
    agent = ring.learn(on_the_ring(chunk, latent=0), ring.experience(20_000, 0.7), updates)
    chunks = [*itertools.product((1, -1), repeat=chunk)]
    known = [ring.futures(np.array(each), 0.7, DISCOUNT) for each in chunks]
    found = [shares(agent, each, np.zeros((1, 0), np.float32)) for each in chunks]
    return float(np.mean([total_variation(*pair) for pair in zip(known, found, strict=True)]))


@pytest.mark.no_cover
def test_futures_have_the_shares_that_are_known():
    assert off_without_intentions(1, 1200) < 0.1


@pytest.mark.slow
def test_futures_of_chunks_have_the_shares_that_are_known():
    assert off_without_intentions(3, 2000) < 0.1


@pytest.mark.slow
def test_with_intentions_futures_have_the_shares_that_are_known_too():
    agent = ring.learn(on_the_ring(1, latent=4), ring.two_intentions(64, 200), 2000)
    drawn = np.asarray(jax.random.normal(jax.random.key(1), (40, 4)))
    for step in (1, -1):
        known = ring.futures(np.array([step]), float(step == 1), DISCOUNT)
        assert total_variation(shares(agent, (step,), drawn), known) < 0.1


def experience(rewards: float = -1.0, terminated: bool = True) -> ReplayBuffer:
    rng = np.random.default_rng(0)
    replay, seen = ReplayBuffer(100, 3, 2), rng.normal(size=(61, 3))
    for tick in range(60):
        last = tick % 20 == 19
        ends = (last and terminated, last and not terminated)
        replay.add(seen[tick], rng.uniform(-1, 1, 2), rewards, seen[tick + 1], *ends)
    return replay


def trained(rewards: float = -1.0, updates: int = 2, **given) -> InFOM:
    """Updates of both phases."""
    settings = registry.settings_for("infom", chunk=3, delay=1, **{**SMALL, **given})
    agent = registry.create("infom", 0, 3, 2, settings)
    assert isinstance(agent, InFOM)
    replay = experience(rewards)
    agent = agent.scaled_to(replay.observations)
    for step in (agent.pretrain, agent.update):
        for update in range(updates):
            agent, info = getattr(agent, step.__name__)(batch_of(agent, replay, update))
            assert all(np.isfinite(value) for value in info.values())
    return agent


def batch_of(agent: InFOM, replay: ReplayBuffer, seed: int):
    return agent.experience(replay).sample(np.random.default_rng(seed), 8, agent.settings.horizons)


def same(first, second) -> bool:
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


@pytest.fixture(scope="module")
def agent() -> InFOM:
    return trained()


def test_an_agent_that_was_saved_learns_on_to_the_bit(agent, tmp_path):
    agent.save(tmp_path / "agent.safetensors")
    other = registry.load_agent(tmp_path / "agent.safetensors")
    assert same(agent, other)
    batch = batch_of(agent, experience(), 9)
    assert same(agent.update(batch)[0], other.update(batch)[0])


def test_it_plays_alone_and_under_strategies(agent):
    request = Request(4, np.full((1, 2), 0.5, np.float32), 1, 1, 3, np.zeros((1, 2)), np.random.default_rng(0))
    chunk = ChunkPolicy(agent).infer(np.zeros(3), request)
    assert chunk.shape == (4, 2)
    assert chunk[0].tolist() == [0.5, 0.5]
    best = BestOf(BehaviourPolicy(agent), chunk_values(agent), samples=2)
    assert np.abs(best.infer(np.zeros(3, np.float32), request)).max() <= 1


def test_rewards_matter_in_the_second_phase_only(agent):
    replays = experience(-1.0), experience(5.0)
    first, second = (agent.pretrain(batch_of(agent, replay, 0))[0] for replay in replays)
    assert same(first, second)
    first, second = (agent.update(batch_of(agent, replay, 0))[0] for replay in replays)
    assert same(first.params["occupancy"], second.params["occupancy"])
    assert not same(first.params["reward"], second.params["reward"])


@pytest.mark.parametrize("learned", [True, False])
def test_the_encoder_learns_from_what_it_is_told_to(agent, learned):
    settings = InFOMSettings(
        **{**SMALL, "horizons": agent.settings.horizons}, intention_gradient="both" if learned else "current"
    )
    told = InFOM.create(0, 3, 2, settings)
    batch = jax.tree.map(np.asarray, batch_of(told, experience(), 0))

    def future_loss(params):
        return told._occupancy_losses(params, batch, jax.random.key(0))["future_loss"]

    gradient = jax.grad(future_loss)(told.params)["encoder"]
    assert any(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradient)) == learned


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(latent=-1), "latent=-1"),
        (dict(futures=0), "futures=0"),
        (dict(expectile=1.5), "expectile=1.5"),
        (dict(compression=float("nan")), "compression=nan"),
        (dict(intention_gradient="all"), "intention_gradient='all'"),
        (dict(discount=1.0), "discount=1.0 has no future states"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given, said):
    with pytest.raises(ArgumentError, match=said):
        registry.settings_for("infom", **given)
