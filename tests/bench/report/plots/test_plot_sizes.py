import dataclasses

import matplotlib.image

from chunkenv.bench.analysis.solve_rates import Solved
from chunkenv.bench.report.plots.plot_sizes import Sized, draw_sizes, plot_sizes
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.studies.charged_study import charged_study
from chunkenv.evaluate import episode_seed

TRACES = {0.4: {"naive": [0.001], "rtc": [0.003]}, 30.0: {"naive": [0.05], "rtc": [0.2]}}


def solved_by_size(tmp_path):
    """Everything is solved but rtc with the large network."""
    study = charged_study(TRACES, ["catapult"], ["naive", "rtc"], [1.0], episodes=4)
    study = dataclasses.replace(study, batch=4)
    basic = {"ticks": 5, "return": 1.0, "underruns": 0, "decisions": 1}
    with Store(tmp_path / "sizes.sqlite", study.cell) as store:
        store.begin(study)
        for block in study.blocks:
            success = (block.cell.method, block.cell.size) != ("rtc", 30.0)
            rows = [basic | {"seed": episode_seed(0, number), "success": success} for number in block.episodes]
            store.keep(block, rows)
        return Solved(study, store, lambda cell: Sized(cell.method, cell.size))


def test_a_line_for_each_method_along_the_size(tmp_path):
    (axes,) = draw_sizes(solved_by_size(tmp_path), "caption").axes
    naive, rtc = axes.lines
    assert list(naive.get_xdata()) == [0.4, 30.0]
    assert (list(naive.get_ydata()), list(rtc.get_ydata())) == ([100, 100], [100, 0])


def test_the_picture_is_written(tmp_path):
    plot_sizes(solved_by_size(tmp_path), tmp_path / "sizes.png", "caption")
    assert matplotlib.image.imread(tmp_path / "sizes.png").std() > 0
