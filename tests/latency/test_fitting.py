import math

import numpy as np
import pytest
from scipy import special, stats

from chunkenv.errors import ArgumentError
from chunkenv.latency import Bursty, Constant, Gamma, LogNormal, Trace, Uniform
from chunkenv.latency.fitting import Fit, digamma, fit_models, quantiles_of
from tests.latency.shared import INF, NAN, draws

TRUTHS = [
    (Uniform(0.02, 0.05), "Uniform"),
    (LogNormal(0.08, 0.3), "LogNormal"),
    (Gamma(0.1, 0.5), "Gamma"),
    (Constant(0.03) + LogNormal(0.01, 0.6), "Constant + LogNormal"),
    (Constant(0.05) + Gamma(0.02, 1.0), "Constant + Gamma"),
    (Bursty(LogNormal(0.03, 0.1), LogNormal(0.15, 0.2), 0.05, 0.3), "Bursty"),
]


def fitted(fits, name):
    return next(fit for fit in fits if fit.name == name)


@pytest.mark.parametrize(("truth", "name"), TRUTHS, ids=[name for _, name in TRUTHS])
def test_the_model_that_was_drawn_from_is_found(truth, name):
    fits = fit_models(np.split(draws(truth, 800), 4))
    assert fits[0].name == name
    assert sorted(-fit.held_out for fit in fits) == [-fit.held_out for fit in fits]
    assert fits[0].aic == min(fit.aic for fit in fits)
    wanted = quantiles_of(truth, [0.05, 0.25, 0.6])
    assert quantiles_of(fits[0].model, [0.05, 0.25, 0.6]) == pytest.approx(wanted, rel=0.08)


def test_the_parameters_of_bursts_are_found():
    truth = Bursty(LogNormal(0.03, 0.1), LogNormal(0.15, 0.2), enter=0.05, leave=0.3)
    model = fit_models(np.split(draws(truth, 3000), 10))[0].model
    assert (model.calm.median, model.calm.sigma) == pytest.approx((0.03, 0.1), rel=0.05)
    assert (model.congested.median, model.congested.sigma) == pytest.approx((0.15, 0.2), rel=0.1)
    assert (model.enter, model.leave) == pytest.approx((0.05, 0.3), rel=0.2)


def test_estimates_are_those_of_largest_likelihood():
    seconds = draws(Gamma(0.1, 0.7), 300)
    fits = fit_models([seconds])
    shape, _, scale = stats.gamma.fit(seconds, floc=0.0)
    gamma = fitted(fits, "Gamma").model
    assert (gamma.cv**-2, gamma.average) == pytest.approx((shape, shape * scale), rel=1e-4)
    sigma, _, median = stats.lognorm.fit(seconds, floc=0.0)
    log_normal = fitted(fits, "LogNormal").model
    assert (log_normal.sigma, log_normal.median) == pytest.approx((sigma, median), rel=1e-4)
    assert fitted(fits, "Gamma").log_likelihood == pytest.approx(stats.gamma(shape, scale=scale).logpdf(seconds).sum())


def test_criteria_by_hand():
    seconds = draws(LogNormal(0.1, 0.4), 100)
    fit = fitted(fit_models([seconds]), "LogNormal")
    assert fit.aic == pytest.approx(4.0 - 2.0 * fit.log_likelihood)
    total = 0.0
    for part in np.split(np.arange(100), 5):
        rest = np.log(np.delete(seconds, part))
        total += stats.lognorm(s=rest.std(), scale=math.exp(rest.mean())).logpdf(seconds[part]).sum()
    assert fit.held_out == pytest.approx(total / 100)
    shares = [0.05, 0.25, 0.5, 0.75, 0.95]  # of 100 draws only one lies beyond the others
    gaps = np.abs(np.array([fit.model.quantile(share) for share in shares]) - np.quantile(seconds, shares))
    assert fit.gap == pytest.approx(gaps.max())


def test_folds_leave_the_order_and_the_episodes_alone():
    """Bursts that are cut in pieces at random, or episodes that are joined, would fit worse or better."""
    truth = Bursty(LogNormal(0.03, 0.1), LogNormal(0.15, 0.2), enter=0.02, leave=0.05)
    seconds = draws(truth, 600)
    mixed = np.random.default_rng(0).permutation(seconds)
    assert fitted(fit_models([seconds]), "Bursty").held_out > fitted(fit_models([mixed]), "Bursty").held_out + 0.1


def test_equal_latencies_are_a_constant():
    assert fit_models([[0.02] * 6, [0.02] * 6]) == [Fit(Constant(0.02), 1, math.inf, math.inf, 0.0)]
    assert fit_models([[0.0] * 12])[0].model == Constant(0.0)


def test_latencies_of_nothing_are_only_uniform():
    """The others cannot draw 0."""
    fits = fit_models([np.linspace(0.0, 0.1, 50)])
    assert [fit.name for fit in fits] == ["Uniform"]
    assert fits[0].model.low == 0.0


def test_a_few_slow_ones_make_no_state_of_their_own():
    fits = fit_models([[*([0.02, 0.021, 0.022] * 4), 0.5]])
    assert "Bursty" not in {fit.name for fit in fits}


def test_two_values_are_fitted():
    """All that was seen may be alike, with another value left out."""
    seconds = [0.02] * 40
    seconds[2] = seconds[11] = seconds[12] = seconds[20] = 0.2
    for fits in (fit_models([seconds]), fit_models([[*([0.02] * 20), 0.2]])):
        assert not any(math.isnan(fit.held_out) for fit in fits)
        assert -math.inf < fits[0].held_out < math.inf


def test_a_fit_is_the_same_each_time():
    seconds = draws(Gamma(0.1, 0.5), 60)
    assert fit_models([seconds]) == fit_models([seconds.tolist()])


@pytest.mark.parametrize("x", [1e-3, 0.1, 0.5, 1.0, 2.5, 11.9, 12.0, 100.0, 1e8])
def test_digamma(x):
    assert digamma(x) == pytest.approx(special.digamma(x), rel=1e-12)


def test_quantiles_of_a_model_that_does_not_know_them_are_those_of_draws():
    model = LogNormal(0.1, 0.5) + Uniform(0.0, 0.001)
    wanted = LogNormal(0.1, 0.5).quantile(0.9)
    assert quantiles_of(model, [0.9]) == quantiles_of(model, [0.9]) == [pytest.approx(wanted, rel=0.05)]
    assert quantiles_of(Trace([0.1, 0.2]), [0.1, 0.9]) == [0.1, 0.2]


@pytest.mark.parametrize(
    ("episodes", "sentence"),
    [
        ([], "0 latencies are too few to fit a model to; record at least 10"),
        ([[0.1] * 4, [], [0.1] * 5], "9 latencies are too few"),
        ([[0.1] * 9 + [NAN]], "latency 9=nan is not a finite number of at least 0"),
        ([[0.1] * 9 + [INF]], "latency 9=inf"),
        ([[-0.1] * 10], "latency 0=-0.1"),
    ],
)
def test_latencies_that_cannot_be_fitted(episodes, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        fit_models(episodes)
