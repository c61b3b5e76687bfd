import pytest
from scipy import stats

from chunkenv.errors import ArgumentError
from chunkenv.latency import Bursty, Constant, Trace
from tests.latency.shared import BUSY, CALM, NAN, draws


def test_bursty_spends_the_stationary_share_congested_from_the_first_draw():
    model = Bursty(Constant(0.0), Constant(1.0), enter=0.1, leave=0.4)
    firsts = [draws(model, 1, seed)[0] for seed in range(4000)]
    assert stats.binomtest(int(sum(firsts)), 4000, 0.2).pvalue > 0.01
    assert draws(model, 40000).mean() == pytest.approx(0.2, abs=0.01)
    assert model.mean() == pytest.approx(0.2)


def test_bursty_changes_state_with_its_probabilities():
    drawn = draws(Bursty(Constant(0.0), Constant(1.0), enter=0.1, leave=0.4), 40000)
    before, after = drawn[:-1], drawn[1:]
    assert after[before == 0].mean() == pytest.approx(0.1, abs=0.01)
    assert 1 - after[before == 1].mean() == pytest.approx(0.4, abs=0.02)


def test_bursty_certain_to_change_alternates():
    drawn = list(draws(Bursty(Constant(0.0), Constant(1.0), enter=1.0, leave=1.0), 6))
    assert drawn in ([0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0])


def test_bursty_that_never_enters_is_calm():
    assert set(draws(Bursty(Constant(0.0), Constant(1.0), enter=0.0, leave=0.5), 100)) == {0.0}


def test_bursty_keeps_the_state_of_both_models():
    model = Bursty(Trace([1.0, 2.0]), Trace([10.0, 20.0]), enter=0.5, leave=0.5)
    drawn = draws(model, 200)
    calm, congested = drawn[drawn < 5], drawn[drawn > 5]
    assert (calm[:-1] != calm[1:]).all()
    assert (congested[:-1] != congested[1:]).all()


def test_models_may_be_given_as_specs_inside_others():
    assert Bursty({"model": "constant", "seconds": 0}, Constant(1), 0.5, 0.5).calm == Constant(0.0)


BAD_ARGUMENTS = [
    (lambda: Bursty(CALM, BUSY, -0.1, 0.5), "enter=-0.1 is not a finite number from 0 to 1"),
    (lambda: Bursty(CALM, BUSY, 1.1, 0.5), "enter=1.1"),
    (lambda: Bursty(CALM, BUSY, 0.1, NAN), "leave=nan"),
    (lambda: Bursty(CALM, BUSY, 0.1, "often"), "leave='often'"),
    (lambda: Bursty(CALM, BUSY, 0.0, 0.0), "never change the state"),
    (lambda: Bursty(0.02, BUSY, 0.1, 0.5), r"calm=0.02 is not a latency model; write Constant\(0.02\)"),
    (lambda: Bursty(CALM, "busy", 0.1, 0.5), "congested='busy' is not a latency model"),
    (lambda: Bursty(CALM, None, 0.1, 0.5), "congested=None is not a latency model"),
]


@pytest.mark.parametrize(("mistake", "sentence"), BAD_ARGUMENTS)
def test_bad_argument(mistake, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        mistake()
