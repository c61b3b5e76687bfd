import pytest
from scipy import stats

from chunkenv.errors import ArgumentError
from chunkenv.latency import Constant, Gamma, LogNormal, Uniform
from tests.latency.shared import INF, NAN, draws

CONTINUOUS = [
    (Uniform(0.01, 0.2), stats.uniform(0.01, 0.19)),
    (LogNormal(0.08, 0.3), stats.lognorm(s=0.3, scale=0.08)),
    (LogNormal(0.5, 1.5), stats.lognorm(s=1.5, scale=0.5)),
    (Gamma(0.1, 0.5), stats.gamma(a=4.0, scale=0.025)),
    (Gamma(0.1, 2.0), stats.gamma(a=0.25, scale=0.4)),
    (Gamma(0.1, 0.01), stats.gamma(a=1e4, scale=1e-5)),
    (Gamma(0.1, 0.0001), stats.gamma(a=1e8, scale=1e-9)),
]


@pytest.mark.parametrize(("model", "known"), CONTINUOUS)
def test_distribution_is_that_of_scipy(model, known):
    for seed in (1, 2, 3):
        assert stats.kstest(draws(model, 4000, seed), known.cdf).pvalue > 0.01
    assert model.mean() == pytest.approx(known.mean(), rel=1e-12)
    for q in (0.001, 0.1, 0.5, 0.9, 0.999):
        assert model.quantile(q) == pytest.approx(known.ppf(q), rel=1e-7)
    assert (model.quantile(0.0), model.quantile(1.0)) == pytest.approx((known.ppf(0.0), known.ppf(1.0)))


def test_the_ks_test_can_fail():
    assert stats.kstest(draws(Gamma(0.1, 0.5), 4000), stats.gamma(a=5.0, scale=0.02).cdf).pvalue < 0.01


@pytest.mark.parametrize("model", [LogNormal(0.08, 0.0), Gamma(0.08, 0.0), Uniform(0.08, 0.08), Constant(0.08)])
def test_no_spread_is_a_constant(model):
    assert draws(model, 10) == pytest.approx([0.08] * 10, abs=1e-15)
    assert [model.quantile(q) for q in (0.0, 0.5, 1.0)] == pytest.approx([0.08] * 3)
    assert model.mean() == pytest.approx(0.08)


BAD_ARGUMENTS = [
    (lambda: Constant(-0.1), "seconds=-0.1 is not a finite number of at least 0"),
    (lambda: Constant(NAN), "seconds=nan"),
    (lambda: Constant(INF), "seconds=inf"),
    (lambda: Constant(-INF), "seconds=-inf"),
    (lambda: Constant(True), "seconds=True"),
    (lambda: Constant("0.1"), "seconds='0.1'"),
    (lambda: Constant(None), "seconds=None"),
    (lambda: Constant([0.1, 0.2]), r"seconds=\[0.1, 0.2\]"),
    (lambda: Constant(1j), "seconds=1j"),
    (lambda: Constant(10**400), "is not a finite number"),
    (lambda: Uniform(-0.1, 0.2), "low=-0.1"),
    (lambda: Uniform(0.1, NAN), "high=nan"),
    (lambda: Uniform(0.0, INF), "high=inf"),
    (lambda: Uniform(0.3, 0.2), "low=0.3 is more than high=0.2; swap them"),
    (lambda: Uniform(False, 1.0), "low=False"),
    (lambda: LogNormal(0.0, 0.3), "median=0.0 is not above 0"),
    (lambda: LogNormal(-1.0, 0.3), "median=-1.0"),
    (lambda: LogNormal(NAN, 0.3), "median=nan"),
    (lambda: LogNormal(0.1, -0.3), "sigma=-0.3 is not a finite number from 0 to 10"),
    (lambda: LogNormal(0.1, 11), "sigma=11"),
    (lambda: LogNormal(0.1, INF), "sigma=inf"),
    (lambda: LogNormal(0.1, "wide"), "sigma='wide'"),
    (lambda: Gamma(0.0, 0.5), "mean=0.0 is not above 0"),
    (lambda: Gamma(NAN, 0.5), "mean=nan"),
    (lambda: Gamma("slow", 0.5), "mean='slow'"),
    (lambda: Gamma(0.1, -0.5), "cv=-0.5 is not a finite number from 0 to 100"),
    (lambda: Gamma(0.1, 1e-5), "cv=1e-05 is too little"),
    (lambda: Gamma(0.1, 101.0), "cv=101.0"),
    (lambda: Gamma(0.1, NAN), "cv=nan"),
    (lambda: Uniform(0.0, 1.0).quantile(1.5), "q=1.5 is not a finite number from 0 to 1"),
    (lambda: Gamma(0.1, 0.5).quantile(NAN), "q=nan"),
    (lambda: Constant(0.1).quantile(-0.1), "q=-0.1"),
    (lambda: LogNormal(0.1, 0.2).quantile(None), "q=None"),
]


def test_a_quantile_below_the_smallest_number_is_zero():
    """A gamma with cv=40 has shape 1/1600: a thousandth of all draws lies below 1e-4800 or so; no float does."""
    assert Gamma(0.1, 40.0).quantile(1e-3) == pytest.approx(0.0, abs=1e-300)
    assert Gamma(0.1, 40.0).quantile(0.999) == pytest.approx(stats.gamma(1 / 1600, scale=160.0).ppf(0.999), rel=1e-9)


@pytest.mark.parametrize(("mistake", "sentence"), BAD_ARGUMENTS)
def test_bad_argument(mistake, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        mistake()
