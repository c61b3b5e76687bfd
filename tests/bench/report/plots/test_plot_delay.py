import matplotlib.image
import pytest

from chunkenv.bench.report.plots.plot_delay import draw_delay, headline, plot_delay
from chunkenv.errors import ArgumentError
from tests.bench.analysis.test_solve_rates import made_up

SOLVED = {"bold": [[True, True, False], [True, True, True]], "shy": [[False, True, False], [False, False, True]]}
ROWS = [row for delay in (0, 1, 3) for row in made_up(SOLVED, delay=delay)]


def test_the_large_panel_pools_and_the_small_ones_do_not():
    large, *small = draw_delay(ROWS, "caption").axes
    assert [list(line.get_xdata()) for line in large.lines] == [[0, 1, 3], [0, 1, 3]]
    assert [round(float(line.get_ydata()[0])) for line in large.lines] == [33, 83]
    assert [axes.get_title(loc="left") for axes in small] == ["left", "right"]
    assert [round(float(line.get_ydata()[0])) for line in small[0].lines] == [33, 67]


def test_bands_hold_the_lines():
    large = draw_delay(ROWS, "caption").axes[0]
    for band, line in zip(large.collections, large.lines, strict=True):
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.min() < min(line.get_ydata())
        assert heights.max() > max(line.get_ydata())


def test_methods_are_named_at_their_lines_without_overlap():
    same = [row for delay in (0, 1) for row in made_up({"bold": SOLVED["bold"], "shy": SOLVED["bold"]}, delay=delay)]
    labels = draw_delay(same, "caption").axes[0].texts
    assert {label.get_text().split("\n")[0] for label in labels} == {"bold", "shy"}
    low, high = sorted(label.xy[1] for label in labels)
    assert high - low > 8


def test_a_single_task_needs_one_panel():
    (axes,) = draw_delay([row for row in ROWS if row["task"] == "left"], "caption").axes
    assert axes.get_title(loc="left") == "left"


@pytest.mark.parametrize("methods", [["bold"], ["bold", "shy"]])
def test_the_headline_says_what_is_seen(methods):
    rows = [row for row in ROWS if row["method"] in methods]
    expected = {
        1: "At a delay of 3 ticks, 6 episodes: bold solves 83 %",
        2: "At a delay of 3 ticks, 6 episodes each: bold solves 83 %, shy 33 % (perhaps equal)",
    }
    assert headline(rows, methods) == expected[len(methods)]


def test_the_headline_does_not_hedge_where_there_is_a_difference():
    rows = made_up({"bold": [[True] * 20] * 2, "shy": [[False] * 20] * 2})
    assert headline(rows, ["bold", "shy"]) == "At a delay of 1 tick, 40 episodes each: bold solves 100 %, shy 0 %"


def test_the_file_is_a_picture(tmp_path):
    plot_delay(ROWS, tmp_path / "delay.png", "caption")
    picture = matplotlib.image.imread(tmp_path / "delay.png")
    assert picture.shape[1] > 1500
    assert [path.name for path in tmp_path.iterdir()] == ["delay.png"]


def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="cannot be written"):
        plot_delay(ROWS, tmp_path / "file" / "delay.png", "caption")
