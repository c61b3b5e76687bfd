"""What assignment 1 measures and draws."""

import matplotlib
import pytest

from chunkenv.course import cartpole_by_delay, draw_by_delay, kinetix_by_delay


class Left:
    def infer(self, observation, request):
        return [0] * 8


def test_returns_are_paired_over_delays():
    curves = cartpole_by_delay(Left(), [0, 1], episodes=3, seed=0)
    assert curves[0] == curves[1]  # the same worlds; this policy does not look at them
    assert all(8 <= each <= 11 for each in curves[0])


def test_lines_differ_without_colours(tmp_path):
    matplotlib.use("agg")
    curves = {"one": {0: [1.0, 3.0], 2: [2.0, 2.0]}, "two": {0: [0.0, 1.0], 2: [1.0, 1.0]}}
    figure = draw_by_delay(curves, lambda values: (sum(values) / 2, 1.0), "return", tmp_path / "plot.png")
    (axes,) = figure.axes
    lines = [container.lines[0] for container in axes.containers]
    assert [line.get_ydata().tolist() for line in lines] == [[2, 2], [0.5, 1]]
    assert len({(line.get_marker(), line.get_linestyle()) for line in lines}) == 2
    assert (tmp_path / "plot.png").stat().st_size > 1000


@pytest.mark.slow
def test_a_flow_policy_solves_less_with_delay():
    curves = kinetix_by_delay("cartpole_thrust", [0, 4], episodes=32, seed=0)
    assert sum(curves[0]) > sum(curves[4])
