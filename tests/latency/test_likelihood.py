import itertools
import math

import numpy as np
import pytest
from scipy import stats

from chunkenv.errors import ArgumentError
from chunkenv.latency import Bursty, Constant, Gamma, LatencyModel, LogNormal, Sum, Trace, Uniform
from chunkenv.latency.likelihood import chain_of, log_density, log_likelihood

SECONDS = np.array([0.02, 0.05, 0.081, 0.3])
DENSITIES = [
    (Uniform(0.01, 0.31), stats.uniform(0.01, 0.3)),
    (LogNormal(0.08, 0.4), stats.lognorm(s=0.4, scale=0.08)),
    (Gamma(mean=0.1, cv=0.5), stats.gamma(a=4.0, scale=0.025)),
    (Gamma(mean=0.1, cv=2.0), stats.gamma(a=0.25, scale=0.4)),
    (Constant(0.01) + LogNormal(0.08, 0.4), stats.lognorm(s=0.4, scale=0.08, loc=0.01)),
    (Constant(0.005) + Gamma(0.1, 0.5) + Constant(0.005), stats.gamma(a=4.0, scale=0.025, loc=0.01)),
    (Constant(0.01) + Uniform(0.005, 0.4), stats.uniform(0.015, 0.395)),
    (Sum([Uniform(0.01, 0.31)]), stats.uniform(0.01, 0.3)),
]


@pytest.mark.parametrize(
    ("model", "known"), DENSITIES, ids=lambda each: repr(each) if isinstance(each, LatencyModel) else "scipy"
)
def test_densities_are_those_of_scipy(model, known):
    assert log_density(model, SECONDS) == pytest.approx(known.logpdf(SECONDS))
    assert log_likelihood(model, [SECONDS[:1], SECONDS[1:]]) == pytest.approx(known.logpdf(SECONDS).sum())


@pytest.mark.parametrize(
    "model",
    [Uniform(0.03, 0.5), LogNormal(0.1, 0.2) + Constant(0.03), Gamma(0.1, 0.5) + Constant(0.03), Uniform(0.1, 0.1)],
)
def test_what_cannot_be_drawn_has_no_likelihood(model):
    assert log_likelihood(model, [SECONDS]) == -math.inf
    assert log_density(model, np.array([0.0, -1.0])).tolist() == [-math.inf, -math.inf]


@pytest.mark.parametrize(
    "model", [Constant(0.1), Trace([0.1]), Uniform(0.0, 1.0) + Uniform(0.0, 1.0), Constant(0.1) + Constant(0.1)]
)
def test_models_without_a_density_are_refused(model):
    with pytest.raises(ArgumentError, match="has no density here; give Uniform, LogNormal or Gamma"):
        log_likelihood(model, [SECONDS])


def by_hand(calm, slow, enter, leave):
    """The likelihood of every sequence of states, and what they say of each draw: a sum over all of them."""
    count, long_run = len(calm), enter / (enter + leave)
    moves = {(0, 0): 1 - enter, (0, 1): enter, (1, 0): leave, (1, 1): 1 - leave}
    total, congested, entered, left = 0.0, np.zeros(count), 0.0, 0.0
    for states in itertools.product((0, 1), repeat=count):
        weight = (1 - long_run, long_run)[states[0]]
        weight *= math.prod(moves[pair] for pair in itertools.pairwise(states))
        weight *= math.prod(math.exp((calm, slow)[state][i]) for i, state in enumerate(states))
        total += weight
        congested += weight * np.array(states)
        entered += weight * sum(pair == (0, 1) for pair in itertools.pairwise(states))
        left += weight * sum(pair == (1, 0) for pair in itertools.pairwise(states))
    return math.log(total), congested / total, entered / total, left / total


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("changes", [(0.1, 0.4), (0.5, 0.5), (1.0, 1.0), (0.9, 0.05), (1e-6, 1.0)])
def test_a_chain_is_the_sum_over_all_its_states(seed, changes):
    rng = np.random.default_rng(seed)
    calm, slow = rng.normal(size=(2, 7))
    chain = chain_of(calm, slow, *changes)
    likelihood, congested, entered, left = by_hand(calm, slow, *changes)
    assert chain.log_likelihood == pytest.approx(likelihood)
    assert chain.congested == pytest.approx(congested)
    assert (chain.entered, chain.left) == pytest.approx((entered, left))


def test_bursty_begins_anew_in_each_episode():
    model = Bursty(LogNormal(0.03, 0.2), LogNormal(0.2, 0.2), enter=0.1, leave=0.3)
    chains = [
        chain_of(log_density(model.calm, each), log_density(model.congested, each), 0.1, 0.3)
        for each in (SECONDS[:2], SECONDS[2:])
    ]
    assert log_likelihood(model, [SECONDS[:2], SECONDS[2:]]) == pytest.approx(sum(c.log_likelihood for c in chains))
    assert log_likelihood(model, [SECONDS[:2], SECONDS[2:]]) != pytest.approx(log_likelihood(model, [SECONDS]))


def test_a_chain_with_a_draw_of_neither_state_is_impossible():
    model = Bursty(Uniform(0.0, 0.1), Uniform(0.2, 0.4), enter=0.1, leave=0.3)
    assert log_likelihood(model, [np.array([0.05, 0.15])]) == -math.inf
    assert log_likelihood(Bursty(Uniform(0.0, 0.1), Uniform(0.2, 0.4), 0.5, 0.0), [np.array([0.05])]) == -math.inf


def test_no_draws_change_nothing():
    assert log_likelihood(Bursty(LogNormal(0.1, 0.2), LogNormal(0.2, 0.2), 0.1, 0.3), [SECONDS[:0]]) == 0.0
