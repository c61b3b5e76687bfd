import matplotlib.image
import numpy as np
import pytest

from chunkenv.bench.analysis.solve_rates import Setting
from chunkenv.bench.report.plots.plot_rtc import describe_rtc, draw_rtc, plot_rtc, sweeps
from chunkenv.errors import ArgumentError
from tests.bench.analysis.test_hypotheses import EPISODES, made_up


def test_the_first_panel_is_by_delay_and_the_small_ones_are_by_task(tmp_path):
    _, solved = made_up(tmp_path)
    main, _, *small = draw_rtc(solved, "caption").axes
    assert [list(line.get_xdata()) for line in main.lines] == [[0, 4], [0, 4]]
    np.testing.assert_allclose([line.get_ydata() for line in main.lines], [[100, 90], [100, 20]])
    assert [axes.get_title(loc="left") for axes in small] == ["left", "right"]


def test_the_headline_says_of_how_many_episodes_and_where_methods_may_be_equal(tmp_path):
    _, solved = made_up(tmp_path)
    texts = [text.get_text() for text in draw_rtc(solved, "caption").texts]
    assert f"Solved at a delay of 4 ticks, {2 * EPISODES} episodes each: good 90 %, bad 20 %" in texts


def test_settings_fall_into_two_sweeps():
    grid = [Setting("rtc", d, s) for d, s in [(0, 1), (1, 1), (2, 2), (1, 3), (1, 5)]]
    by_delay, by_horizon = sweeps(grid)
    assert by_delay == grid[:3]
    assert by_horizon == [grid[1], grid[3], grid[4]]


def test_the_picture_is_written_atomically(tmp_path):
    _, solved = made_up(tmp_path)
    plot_rtc(solved, tmp_path / "rtc.png", f"{EPISODES} episodes")
    assert matplotlib.image.imread(tmp_path / "rtc.png").std() > 0
    with pytest.raises(ArgumentError, match="cannot be written"):
        plot_rtc(solved, tmp_path / "rtc.png" / "rtc.png", "caption")
    assert sorted(path.name for path in tmp_path.glob("*.p*")) == ["rtc.png"]


def test_the_picture_in_words_has_every_number(tmp_path):
    _, solved = made_up(tmp_path)
    text = describe_rtc(solved)
    assert "with execution horizon max(1, delay): good: 100 % at 0, 90 % at 4. bad: 100 % at 0, 20 % at 4." in text
    assert text.endswith("Small panels show the first for each of 2 tasks.")
