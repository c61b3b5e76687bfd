import numpy as np
import pytest

from chunkenv.agents.flow_matching import Imitation
from chunkenv.agents.nets.chunk_flow import sample_chunks
from chunkenv.agents.policies.flow_policy import load_flow_policy
from chunkenv.errors import ArgumentError
from chunkenv.training.imitation import POLICY, FlowTraining
from chunkenv.training.loop import load_state, resume, save_state, train
from tests.agents.two_modes import TwoModes, settings

FACTS = {"level": "toy"}


def trained(windows=None, seed=0, **changes):
    training = FlowTraining(windows or TwoModes(), settings(**changes), seed, FACTS)
    while not training.done:
        training.advance()
    return training


def weights_of(training):
    return training.policy().flow.weights


def same(first, second):
    return all((first[name] == second[name]).all() for name in first)


@pytest.fixture(scope="module")
def prefixed():
    return trained(updates=1500, batch=128, learning_rate=3e-3, averaging=0.99, max_prefix=2).policy()


def draw(policy, count, seed=0):
    rng = np.random.default_rng(seed)
    observations = rng.uniform(0.5, 1.5, (count, 3)).astype(np.float32)
    return observations, rng.standard_normal((count, 4, 2), np.float32)


@pytest.mark.no_cover
def test_both_modes_of_the_data_are_drawn_and_nothing_between(prefixed):
    observations, noise = draw(prefixed, 2000)
    chunks = prefixed.to_actions(prefixed.compile(sample_chunks)(observations, noise))
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


@pytest.mark.no_cover
def test_what_lies_beyond_the_end_of_an_episode_teaches_nothing():
    zeros, garbage = (trained(TwoModes(beyond, masked=0.5)) for beyond in (0.0, 1e6))
    assert same(weights_of(zeros), weights_of(garbage))


def test_rows_within_the_episode_teach():
    assert not same(weights_of(trained(TwoModes(masked=0.5))), weights_of(trained(TwoModes(masked=0.4))))


@pytest.mark.no_cover
def test_the_same_seed_gives_the_same_weights():
    assert same(weights_of(trained()), weights_of(trained()))
    assert not same(weights_of(trained()), weights_of(trained(seed=1)))


def test_a_training_goes_on_from_its_file_to_the_bit(tmp_path):
    half = FlowTraining(TwoModes(), settings(), 0, FACTS)
    half.advance()
    save_state(half, tmp_path / "half")
    other = FlowTraining(TwoModes(), settings(), 0, FACTS)
    load_state(other, tmp_path / "half")
    assert other.steps == 100
    other.advance()
    assert same(weights_of(other), weights_of(trained()))


@pytest.mark.parametrize("change", [{"batch": 64}, {"max_prefix": 1}, {"seed": 1}])
def test_a_file_of_another_training_is_refused(tmp_path, change):
    save_state(FlowTraining(TwoModes(), settings(), 0, FACTS), tmp_path / "file")
    other = FlowTraining(
        TwoModes(), settings(**{k: v for k, v in change.items() if k != "seed"}), change.get("seed", 0), FACTS
    )
    with pytest.raises(ArgumentError, match=f"was begun with {next(iter(change))}="):
        load_state(other, tmp_path / "file")


def test_train_writes_metrics_and_the_policy_and_goes_on(tmp_path):
    training = resume(FlowTraining(TwoModes(), settings(), 0, FACTS), tmp_path)
    assert [metrics["steps"] for metrics in train(training, tmp_path)] == [100, 200]
    again = resume(FlowTraining(TwoModes(), settings(), 0, FACTS), tmp_path)
    assert again.done
    assert list(train(again, tmp_path)) == []
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2
    assert same(load_flow_policy(tmp_path / POLICY).flow.weights, weights_of(training))


def test_the_learning_rate_ends_at_zero():
    last = trained(updates=200)._state.average
    longer = FlowTraining(TwoModes(), settings(updates=200), 0, FACTS)
    longer.advance()
    early = longer._state.weights
    longer.advance()
    assert not same(early, longer._state.weights)
    assert same(last, longer._state.average)


def test_a_prefix_that_leaves_nothing_to_learn_is_refused():
    with pytest.raises(ArgumentError, match="max_prefix=4 leaves no row of 4"):
        FlowTraining(TwoModes(), settings(max_prefix=4), 0, FACTS)


def tuned(start, objective=None, **changes):
    given = settings(**{"updates": 100, "max_prefix": 2, **changes})
    return FlowTraining(TwoModes(), given, 0, FACTS, start, objective)


def test_a_training_begins_with_the_policy_that_it_is_given():
    """A plain one becomes prefix-conditioned, and without a prefix it answers as before."""
    plain = trained(updates=100).policy()
    begun = tuned(plain).policy()
    observations, noise = draw(plain, 20)
    before, after = (each.compile(sample_chunks)(observations, noise) for each in (plain, begun))
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert (begun.max_prefix, begun.prefix_conditioned) == (2, True)
    np.testing.assert_array_equal(begun.to_network(noise), plain.to_network(noise))


def test_a_tuning_goes_on_to_the_bit_and_only_from_the_same_policy(tmp_path):
    plain, other = trained(updates=100).policy(), trained(updates=100, seed=1).policy()
    half = tuned(plain, Imitation(2), updates=200)
    half.advance()
    save_state(half, tmp_path / "half")
    again = tuned(plain, updates=200)
    load_state(again, tmp_path / "half")
    for training in (half, again):
        training.advance()
    assert same(weights_of(half), weights_of(again))
    with pytest.raises(ArgumentError, match=r"was begun with (scales|start)="):
        load_state(tuned(other, updates=200), tmp_path / "half")


def test_a_policy_for_other_windows_is_refused(prefixed):
    with pytest.raises(ArgumentError, match="goes on from prefixes; give max_prefix"):
        tuned(prefixed, max_prefix=0)
    with pytest.raises(ArgumentError, match="makes 4 rows of 2 numbers from 3, but the windows have 3"):
        FlowTraining(Shorter(), settings(max_prefix=2), 0, FACTS, prefixed)


class Shorter(TwoModes):
    def sample(self, rng, batch):
        observations, chunks, mask = super().sample(rng, batch)
        return observations, chunks[:, :3], mask[:, :3]
