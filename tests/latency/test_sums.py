import pytest
from scipy import stats

from chunkenv.errors import ArgumentError
from chunkenv.latency import Constant, Gamma, LogNormal, Sum, Uniform
from tests.latency.shared import BUSY, CALM, draws


def test_sum_adds_means_and_shifts_quantiles_by_constants():
    model = Constant(0.02) + LogNormal(0.08, 0.3) + Constant(0.03)
    known = stats.lognorm(s=0.3, scale=0.08, loc=0.05)
    assert model.mean() == pytest.approx(known.mean())
    assert model.quantile(0.9) == pytest.approx(known.ppf(0.9))
    assert stats.kstest(draws(model, 4000), known.cdf).pvalue > 0.01


def test_sum_of_two_that_vary_has_no_quantile():
    with pytest.raises(NotImplementedError, match="no closed form"):
        (Uniform(0.0, 1.0) + Uniform(0.0, 1.0)).quantile(0.5)


def test_sums_are_flat():
    a, b, c = Constant(0.1), Uniform(0.0, 0.1), Gamma(0.1, 0.5)
    assert (a + b) + c == a + (b + c) == Sum((a, b, c)) == Sum([Sum([a, b]), c])
    assert repr(a + b) == "Constant(seconds=0.1) + Uniform(low=0.0, high=0.1)"


BAD_ARGUMENTS = [
    (lambda: Sum([]), r"parts=\[\] is not a list of latency models"),
    (lambda: Sum(Constant(0.1)), r"parts=Constant\(seconds=0.1\) is not a list"),
    (lambda: Sum([Constant(0.1), 0.2]), r"parts=0.2 is not a latency model; write Constant\(0.2\)"),
    (lambda: Constant(0.1) + 0.05, r"0.05 cannot be added.*write Constant\(0.05\)"),
    (lambda: Constant(0.1) + "0.05", "'0.05' cannot be added"),
    (lambda: (CALM + BUSY).quantile(2), "q=2"),
]


@pytest.mark.parametrize(("mistake", "sentence"), BAD_ARGUMENTS)
def test_bad_argument(mistake, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        mistake()
