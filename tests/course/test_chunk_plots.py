"""What is drawn, read from the picture."""

import runpy

import numpy as np
import pytest

from chunkenv.course import draw_cuts, draw_gains
from chunkenv.course.chunk_plots import cut
from tests.course.in_process import SOLUTIONS


@pytest.fixture(autouse=True)
def closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_a_cut_has_all_ticks():
    assert [cut(7, length) for length in (1, 4, 7)] == [[1] * 7, [4, 3], [7]]


def test_only_the_right_rule_is_level(tmp_path):
    solution = runpy.run_path(str(SOLUTIONS / "2" / "solution.py"))
    figure = draw_cuts(solution["return_in_chunks"], [4.0, 0.0, 8.0, 8.0], 0.5, tmp_path / "cuts.png")
    right, plain, late = (line.get_ydata() for line in figure.axes[0].lines)
    assert right == pytest.approx([7.0] * 4)
    assert plain == pytest.approx([7.0, 8.0, 13.0, 20.0])  # cut 1+1+1+1, 2+2, 3+1 and 4
    assert late == pytest.approx([3.5, 2.0, 2.0, 1.25])
    assert (tmp_path / "cuts.png").stat().st_size > 0


def test_gains_are_sorted_and_the_interval_is_shown():
    figure = draw_gains(np.array([3.0, 9.0, 5.0]), np.array([1.0, 2.0, 6.0]), [2.5, 1.0, 4.0])
    (axes,) = figure.axes
    assert axes.lines[0].get_ydata().tolist() == [-1.0, 2.0, 7.0]
    assert axes.lines[2].get_ydata() == [2.5, 2.5]
    box = axes.patches[0].get_bbox()
    assert (box.y0, box.y1) == (1.0, 4.0)
