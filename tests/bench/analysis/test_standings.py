import pytest
from fake_study import block_study

from chunkenv.bench.analysis.intervals import wilson
from chunkenv.bench.analysis.standings import episode_shares, find_standings, mean_rates
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Cell
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import episode_seed

EPISODES = 20
SOLVED = {"naive": (20, 10, 2), "twin": (20, 10, 3), "best": (20, 20, 20), "late": (20, 20, 1)}
"""Of each method, how many of twenty episodes it solves at delays of 0, 1 and 2 ticks."""


def play(cell, episodes, seed):
    basic = {"ticks": 12, "return": 0.0, "underruns": 0, "decisions": 4, "denoiser_evaluations": 20.0, "jerk": 0.5}
    return [
        {"seed": episode_seed(seed, number), "success": number < SOLVED[cell.method][cell.delay], **basic}
        for number in episodes
    ]


def standing_cells(methods=tuple(SOLVED)):
    """Those that count, with s = max(1, d), and one that does not."""
    pairs = ((0, 1), (1, 1), (2, 2), (1, 3))
    return tuple(Cell(task, method, d, s, 8) for task in ("left", "right") for method in methods for d, s in pairs)


def played(folder, study, unfinished=()):
    """The store of a study whose methods `unfinished` have no rows at the longest delay."""
    store = Store(folder / "episodes.sqlite", study.cell, study.results)
    store.begin(study, "chunkenv bench rtc")
    for block in study.blocks:
        if block.cell.method not in unfinished or block.cell.delay < 2:
            store.keep(block, study.play(block.cell, block.episodes, study.seed))
    return store


def standing_study(**changes):
    fields = {"cells": standing_cells(), "play": play, "results": {}, "episodes": EPISODES, "batch": EPISODES}
    return block_study(**fields | changes)


@pytest.fixture
def store(tmp_path):
    with played(tmp_path, standing_study()) as store:
        yield store


def test_methods_stand_by_their_mean_and_share_ranks_where_they_may_be_equal(store):
    found = find_standings(store)
    assert [(each.method, each.ranks) for each in found] == [
        ("best", (1, 1)),
        ("late", (2, 2)),
        ("twin", (3, 4)),
        ("naive", (3, 4)),
    ]
    means = {each.method: each.mean.estimate for each in found}
    assert means == pytest.approx({method: sum(solved) / 60 for method, solved in SOLVED.items()})
    assert all(each.mean.low <= each.mean.estimate <= each.mean.high for each in found)


def test_rates_are_those_of_the_delays_and_costs_are_for_a_chunk(store):
    naive = next(each for each in find_standings(store) if each.method == "naive")
    assert naive.rates == {0: wilson(40, 40), 1: wilson(20, 40), 2: wilson(4, 40)}
    assert (naive.evaluations, naive.jerk, naive.boundary_jump) == (5, 0.5, None)


def test_a_method_that_lacks_a_delay_has_no_mean_and_stands_last(tmp_path):
    with played(tmp_path, standing_study(), unfinished=("best",)) as store:
        *ranked, last = find_standings(store)
        assert (last.method, last.ranks, list(last.rates)) == ("best", None, [0, 1])
        assert [each.method for each in ranked] == ["late", "twin", "naive"]
        assert ranked[0].ranks == (1, 1)
        assert "best" not in episode_shares(store, "execution_horizon = MAX(1, delay)")


def test_the_mean_over_all_settings(store):
    assert mean_rates(store)["late"].estimate == pytest.approx((20 + 20 + 20 + 1) / 80)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cells": (Cell("left", "naive", 0, 4, 8),)}, r"has no rows with an execution horizon of max\(1, delay\)"),
        (
            {"play": lambda *block: [row | {"success": None} for row in play(*block)]},
            "has no rows that say what was solved; play, for example, chunkenv bench rtc first",
        ),
    ],
)
def test_rows_that_make_no_leaderboard_are_refused(tmp_path, changes, message):
    with played(tmp_path, standing_study(**changes)) as store, pytest.raises(ArgumentError, match=message):
        find_standings(store)
