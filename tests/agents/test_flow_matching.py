import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents import flow_matching as flow
from chunkenv.agents.flow_matching import FlowSettings, Training
from chunkenv.agents.nets.mixer import Architecture, Sizes, initial_weights
from chunkenv.agents.policies import flow_policy
from chunkenv.errors import ArgumentError

SMALL = Architecture(width=32, hidden=64, blocks=1, time_features=16)
FACTS = {"level": "toy"}


class TwoModes:
    """Chunks of four rows of two actions that go up or down, all rows alike, by as much as the observation says."""

    def __init__(self, beyond=0.0, masked=0.0):
        self.beyond, self.masked = beyond, masked

    def sample(self, rng, batch):
        observations = rng.uniform(0.5, 1.5, (batch, 3)).astype(np.float32)
        signs = rng.choice([-1.0, 1.0], batch)
        chunks = np.repeat((signs * observations[:, 0])[:, None, None], 8, axis=1).reshape(batch, 4, 2)
        chunks = (chunks + 0.05 * rng.standard_normal(chunks.shape)).astype(np.float32)
        mask = np.ones((batch, 4), np.float32)
        mask[rng.random(batch) < self.masked, 2:] = 0
        chunks[mask == 0] = self.beyond
        return observations, chunks, mask


def settings(**changes):
    return FlowSettings(**{"architecture": SMALL, "updates": 200, "batch": 32, "warm_up": 50, **changes})


def trained(windows=None, seed=0, **changes):
    training = Training(windows or TwoModes(), settings(**changes), seed, FACTS)
    while not training.done:
        training.step()
    return training


def weights_of(training):
    return training.policy().denoiser.weights


def same(first, second):
    return all((first[name] == second[name]).all() for name in first)


@pytest.fixture(scope="module")
def prefixed():
    return trained(updates=1500, batch=128, learning_rate=3e-3, averaging=0.99, max_prefix=2).policy()


def draw(policy, count, seed=0):
    rng = np.random.default_rng(seed)
    observations = rng.uniform(0.5, 1.5, (count, 3)).astype(np.float32)
    return observations, rng.standard_normal((count, 4, 2), np.float32)


def test_both_modes_of_the_data_are_drawn_and_nothing_between(prefixed):
    observations, noise = draw(prefixed, 2000)
    chunks = prefixed.to_actions(prefixed.compile(flow_policy.euler)(observations, noise))
    ups = chunks.mean(axis=(1, 2)) > 0
    assert 0.4 < ups.mean() < 0.6
    error = np.abs(chunks) - observations[:, :1, None]
    assert np.median(np.abs(error)) < 0.12


def test_a_prefix_decides_the_mode(prefixed):
    observations, noise = draw(prefixed, 1000)
    sign = np.where(np.arange(1000) % 2, 1.0, -1.0)[:, None].astype(np.float32)
    noise[:, 0] = prefixed.to_network(sign * observations[:, :1] * np.ones(2, np.float32))
    chunks = prefixed.compile(from_prefix)(observations, noise, np.ones(1000, np.int64))
    np.testing.assert_array_equal(chunks[:, 0], noise[:, 0])
    agreeing = np.sign(prefixed.to_actions(chunks)[:, 1:]) == sign[:, :, None]
    assert agreeing.mean() > 0.95


def from_prefix(denoiser, observations, chunks, lengths):
    for step in range(denoiser.steps):
        chunks = chunks + denoiser.velocity(observations, chunks, step / denoiser.steps, lengths) / denoiser.steps
    return chunks


def test_what_lies_beyond_the_end_of_an_episode_teaches_nothing():
    zeros, garbage = (trained(TwoModes(beyond, masked=0.5)) for beyond in (0.0, 1e6))
    assert same(weights_of(zeros), weights_of(garbage))


def test_rows_within_the_episode_teach():
    assert not same(weights_of(trained(TwoModes(masked=0.5))), weights_of(trained(TwoModes(masked=0.4))))


def test_only_rows_behind_the_prefix_count():
    """With a prefix of H - 1 in every window, changing the target of another row changes no loss."""
    sizes = Sizes(3, 4, 2, prefix=True)
    weights = {name: value + 0.1 for name, value in initial_weights(SMALL, sizes, 0).items()}
    blank = flow.Denoiser(weights, np.zeros(3), np.ones(3), SMALL, sizes, 5, 0.5)
    observations, actions, _ = TwoModes().sample(np.random.default_rng(0), 64)
    lost = jax.grad(lambda mask: flow.loss(weights, blank, observations, actions, mask, jax.random.key(0), 3))
    slopes = np.asarray(jax.jit(lost)(jnp.ones((64, 4))))
    _, lengths = flow._drawn(jax.random.key(0), 64, 3)
    clean = np.arange(4) < np.asarray(lengths)[:, None]
    assert (slopes[clean] == 0).all()
    assert (slopes[~clean] != 0).all()
    assert set(np.asarray(lengths).tolist()) == {0, 1, 2, 3}


def test_the_same_seed_gives_the_same_weights():
    assert same(weights_of(trained()), weights_of(trained()))
    assert not same(weights_of(trained()), weights_of(trained(seed=1)))


def test_a_training_goes_on_from_its_file_to_the_bit(tmp_path):
    half = Training(TwoModes(), settings(), 0, FACTS)
    half.step()
    half.save(tmp_path / "half")
    other = Training(TwoModes(), settings(), 0, FACTS)
    other.load(tmp_path / "half")
    assert other.update == 100
    other.step()
    assert same(weights_of(other), weights_of(trained()))


@pytest.mark.parametrize("change", [{"batch": 64}, {"max_prefix": 1}, {"seed": 1}])
def test_a_file_of_another_training_is_refused(tmp_path, change):
    Training(TwoModes(), settings(), 0, FACTS).save(tmp_path / "file")
    other = Training(
        TwoModes(), settings(**{k: v for k, v in change.items() if k != "seed"}), change.get("seed", 0), FACTS
    )
    with pytest.raises(ArgumentError, match="other settings, seed or data"):
        other.load(tmp_path / "file")


def test_train_writes_metrics_and_the_policy_and_goes_on(tmp_path):
    training = flow.resume_or_begin(TwoModes(), settings(), 0, FACTS, tmp_path)
    assert [metrics["steps"] for metrics in flow.train(training, tmp_path)] == [100, 200]
    again = flow.resume_or_begin(TwoModes(), settings(), 0, FACTS, tmp_path)
    assert again.done
    assert list(flow.train(again, tmp_path)) == []
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2
    assert same(flow.load(tmp_path / flow.POLICY).denoiser.weights, weights_of(training))


def test_the_learning_rate_ends_at_zero():
    last = trained(updates=200)._state.average
    longer = Training(TwoModes(), settings(updates=200), 0, FACTS)
    longer.step()
    early = longer._state.weights
    longer.step()
    assert not same(early, longer._state.weights)
    assert same(last, longer._state.average)


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"updates": 0}, {"batch": 2.5}, {"max_prefix": -1}, {"averaging": 1.5}, {"learning_rate": -1.0}],
)
def test_settings_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        FlowSettings(**wrong)


def test_a_prefix_that_leaves_nothing_to_learn_is_refused():
    with pytest.raises(ArgumentError, match="max_prefix=4 leaves no row of 4"):
        Training(TwoModes(), settings(max_prefix=4), 0, FACTS)


def test_settings_are_values():
    assert settings() == settings()
    assert hash(settings()) == hash(dataclasses.replace(settings()))
