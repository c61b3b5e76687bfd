"""What is drawn of latency models, read from the picture."""

import numpy as np
import pytest

from chunkenv.course import draw_by_model, draw_profiles, sample_delays
from chunkenv.course.delay_profiles import draw_profile_svg
from chunkenv.latency import Uniform


def test_delays_are_those_of_the_model_and_the_same_again():
    delays = sample_delays(Uniform(0.02, 0.14), 0.02, 300, seed=0)
    assert set(delays) == {2, 3, 4, 5, 6, 7}
    assert sample_delays(Uniform(0.02, 0.14), 0.02, 300, seed=0) == delays


def test_a_profile_shows_the_order_and_the_shares(tmp_path):
    figure = draw_profiles({"one": [1, 1, 3, 1], "two": [0, 5]}, tmp_path / "profiles.png")
    sequence, shares, *_ = figure.axes
    assert sequence.get_title(loc="left") == "one"
    assert sequence.lines[0].get_ydata().tolist() == [1, 1, 3, 1]
    assert [bar.get_width() for bar in shares.patches] == pytest.approx([0, 75, 0, 25, 0, 0])
    assert len(figure.axes) == 4
    assert (tmp_path / "profiles.png").stat().st_size > 0


def test_a_profile_has_the_same_bytes_again():
    assert draw_profile_svg("one", [1, 2, 2]) == draw_profile_svg("one", [1, 2, 2])


def test_solve_rates_have_wilsons_intervals_and_policies_their_markers():
    figure = draw_by_model({"held": {"a": (0, 20), "b": (5, 20)}, "open": {"a": (20, 20), "b": (10, 20)}})
    (axes,) = figure.axes
    held, opened = axes.containers
    assert held.lines[0].get_ydata().tolist() == [0.0, 0.25]
    assert held.lines[0].get_marker() != opened.lines[0].get_marker()
    low, high = held.lines[2][0].get_segments()[0][:, 1]
    assert (low, round(high, 3)) == (0.0, 0.161)
    assert np.all(np.diff([held.lines[0].get_xdata(), opened.lines[0].get_xdata()], axis=0) > 0)
