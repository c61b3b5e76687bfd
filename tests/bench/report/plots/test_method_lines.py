import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from chunkenv.bench.analysis.intervals import Interval
from chunkenv.bench.report.plots.method_lines import BANDS, FIRST, draw_methods, label_ends, nth_style, spread, style_of
from chunkenv.bench.studies.methods import METHODS

RATE = Interval(0.9, 0.8, 1.0)


def test_no_two_methods_look_alike():
    assert len({style_of(method) for method in {*METHODS, *FIRST}}) == len({*METHODS, *FIRST})
    assert len({nth_style(place) for place in range(24)}) == 24


def test_a_method_keeps_its_colour_when_others_come(monkeypatch):
    before = style_of("training-time-rtc")
    monkeypatch.setattr("chunkenv.bench.report.plots.method_lines.METHODS", {"new": None, **METHODS})
    assert style_of("training-time-rtc") == before


def test_bands_are_left_out_where_they_would_hide_each_other():
    few, many = (Figure().subplots() for _ in range(2))
    draw_methods(few, {f"m{number}": ([0, 1], [RATE, RATE]) for number in range(BANDS)})
    draw_methods(many, {f"m{number}": ([0, 1], [RATE, RATE]) for number in range(BANDS + 1)})
    assert (len(few.collections), len(many.collections)) == (BANDS, 0)
    assert (len(few.lines), len(many.lines)) == (BANDS, BANDS + 1)


def test_names_stand_in_the_order_of_their_lines():
    axes = Figure().subplots()
    rates = {"low": 0.1, "high": 0.9, "middle": 0.5}
    label_ends(axes, {name: ([0, 4], [RATE, Interval(rate, 0, 1)]) for name, rate in rates.items()})
    assert [text.get_text() for text in axes.texts] == ["low 10 %", "middle 50 %", "high 90 %"]


@given(heights=st.lists(st.floats(0, 104), min_size=1, max_size=20))
def test_names_never_overlap_nor_leave_the_panel(heights):
    found = spread(sorted(heights), 5.0, 104.0)
    assert len(found) == len(heights)
    assert all(high - low >= 5.0 - 1e-9 for low, high in itertools.pairwise(found))
    assert found[0] >= 0
    assert found[-1] <= 104 + 1e-9


def test_names_that_do_not_touch_stay():
    assert spread([10, 50, 90], 6.0, 104.0) == pytest.approx([10, 50, 90])
