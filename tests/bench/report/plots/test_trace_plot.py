import matplotlib.image
import numpy as np
import pytest

from chunkenv.bench.report.plots.trace_plot import MOST_TICKS, draw_trace, plot_trace
from chunkenv.errors import ArgumentError
from chunkenv.latency import Bursty, Constant, LogNormal
from chunkenv.latency.fitting import fit_models
from tests.latency.shared import draws

EPISODES = [draws(LogNormal(0.035, 0.3), 40, seed).tolist() for seed in range(3)]
FITS = fit_models(EPISODES)


def picture(episodes=EPISODES, fits=FITS, **arguments):
    return draw_trace(episodes, fits, "robot", **arguments).axes


def test_the_recording_and_the_best_fits_are_drawn_as_they_are_distributed():
    distribution, *_ = picture()
    *fits, recorded = distribution.lines
    assert [line.get_label().partition(":")[0] for line in (recorded, *fits[::-1])] == [
        "recorded",
        *(fit.name for fit in FITS[:3]),
    ]
    seconds = np.sort(np.concatenate(EPISODES))
    assert recorded.get_xdata()[1:] == pytest.approx(1e3 * seconds)
    assert list(recorded.get_ydata()[[0, -1]]) == [0.0, 100.0]
    best = fits[-1]
    middle = list(best.get_ydata()).index(50.0)
    assert best.get_xdata()[middle] == pytest.approx(1e3 * FITS[0].model.quantile(0.5))
    assert best.get_linewidth() > fits[0].get_linewidth()


def test_bars_are_the_shares_of_delays_at_each_rate():
    _, ticks, _ = picture([[0.02] * 6 + [0.03] * 3 + [0.5]], fit_models([[0.02] * 12]))
    assert [label.get_text() for label in ticks.get_yticklabels()] == ["10 Hz", "20 Hz", "50 Hz", "100 Hz"]
    widths = {}
    for bar in ticks.patches:
        widths.setdefault(round(bar.get_y() + bar.get_height() / 2), []).append(round(bar.get_width()))
    assert widths == {0: [90, 10], 1: [90, 10], 2: [60, 30, 10], 3: [60, 30, 10]}
    texts = [text.get_text() for text in ticks.texts]
    assert texts == ["1", "5", "1", f"{MOST_TICKS}+", "1", "2", f"{MOST_TICKS}+", "2", "3", f"{MOST_TICKS}+"]


def test_the_sequence_shows_episodes_and_ticks():
    *_, sequence = picture(control_dt=0.02)
    assert [len(points.get_offsets()) for points in sequence.collections] == [40, 40, 40]
    assert len(sequence.patches) == 1  # every other episode is shaded
    lines = [round(line.get_ydata()[0]) for line in sequence.lines]
    assert lines == list(range(20, 20 * len(lines) + 1, 20))
    assert [text.get_text() for text in sequence.texts] == ["tick", *(str(tick + 1) for tick in range(len(lines)))]
    assert not picture()[2].lines
    assert not picture(control_dt=0.001)[2].lines  # they would hide the points


def test_what_is_slow_does_not_hide_the_rest():
    slow = [[*([0.02, 0.03, 0.04] * 10), 1.0]]
    assert picture(slow, fit_models(slow))[0].get_xscale() == "log"
    assert picture()[0].get_xscale() == "linear"


@pytest.mark.parametrize(
    "episodes", [[[0.02] * 20], [[0.0] * 20], draws(Bursty(Constant(0.02), Constant(0.2), 0.1, 0.4), 40)[None].tolist()]
)
def test_recordings_of_few_values_are_drawn(tmp_path, episodes):
    plot_trace(episodes, fit_models(episodes), "robot", tmp_path / "a.png", control_dt=0.02)
    assert matplotlib.image.imread(tmp_path / "a.png").shape == (1350, 2100, 4)


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="cannot be written"):
        plot_trace(EPISODES, FITS, "robot", tmp_path / "file" / "a.png")
