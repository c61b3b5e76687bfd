import matplotlib.image
import numpy as np

from chunkenv.bench.report.plots.plot_latency import describe_latency, draw_latency, plot_latency
from tests.bench.analysis.test_planned_delays import made_up


def test_a_line_of_panels_for_each_mean_delay_and_the_differences(tmp_path):
    figure = draw_latency(made_up(tmp_path), "caption")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    plans = ("planned with the expected delay", "planned with the largest delay")
    panels = [f"{delay} on average, {plan}" for delay in ("1 tick", "2 ticks") for plan in plans]
    assert titles == [*panels, "Which delay to plan with"]
    careful = figure.axes[1].lines[0]  # bursty, uniform and constant, which stands in both panels
    np.testing.assert_allclose(careful.get_ydata(), [90, 80, 100])
    assert [label.get_text() for label in figure.axes[-1].get_yticklabels()] == ["idle", "bold", "careful"]


def test_the_picture_is_written_with_its_words(tmp_path):
    solved = made_up(tmp_path, [2])
    plot_latency(solved, tmp_path / "latency.png", "caption")
    assert matplotlib.image.imread(tmp_path / "latency.png").std() > 0
    words = describe_latency(solved)
    assert "0 is bursty, 1 is uniform, 2 is constant" in words
    assert "careful: 50 % at 0, 60 % at 1, 100 % at 2." in words
    assert "bold -35 (" in words
