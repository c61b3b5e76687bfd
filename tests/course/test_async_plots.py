"""What is drawn for assignment 4, read from the picture."""

import runpy

import numpy as np
import pytest

from chunkenv.course import draw_solve_rates, draw_two_ways, draw_weights
from chunkenv.course.async_plots import PUBLISHED
from chunkenv.strategies import prefix_weights
from tests.course.in_process import SOLUTIONS


@pytest.fixture(scope="module")
def solution():
    return runpy.run_path(str(SOLUTIONS / "4" / "solution.py"))


@pytest.fixture(autouse=True)
def closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def differ_without_colours(lines):
    return len({(line.get_marker(), line.get_linestyle()) for line in lines}) == len(lines)


def test_weights_of_four_delays(solution):
    (axes,) = draw_weights(solution["prefix_weights"]).axes
    assert differ_without_colours(axes.lines)
    for delay, line in enumerate(axes.lines, 1):
        np.testing.assert_allclose(line.get_ydata(), prefix_weights(delay, 8 - delay, 8), atol=1e-6)


def test_rtc_follows_the_last_chunk_and_the_others_do_not(solution, tmp_path):
    names = ("sample", "guided_sample", "prefix_weights", "Ensembling")
    (axes,) = draw_two_ways(*(solution[name] for name in names), tmp_path / "ways.png").axes
    last, naive, ensembling, rtc = (line.get_ydata() for line in axes.lines)
    assert naive[-1] < -0.5 < 0.5 < rtc[-1]
    np.testing.assert_allclose(rtc[:2], last[2:4], atol=0.1)
    assert np.abs(ensembling[3:6]).max() < 0.3  # the mean of both ways is the obstacle
    assert differ_without_colours(axes.lines[1:])
    assert (tmp_path / "ways.png").stat().st_size > 1000


def test_solve_rates_have_their_intervals_and_stand_over_the_published_ones(solution):
    curves = {"naive": {0: (20, 20), 3: (5, 20)}, "RTC": {0: (19, 20), 3: (10, 20)}}
    (axes,) = draw_solve_rates(curves, solution["wilson"]).axes
    bars = [container.lines[2][0].get_segments() for container in axes.containers]
    for segments, curve in zip(bars, curves.values(), strict=True):
        for segment, counts in zip(segments, curve.values(), strict=True):
            _, low, high = solution["wilson"](*counts)
            np.testing.assert_allclose(segment[:, 1], [low, high], atol=1e-9)
    grey = [line for line in axes.lines if line.get_color() == "0.7"]
    assert [dict(zip(*line.get_data(), strict=True)) for line in grey] == list(PUBLISHED.values())
