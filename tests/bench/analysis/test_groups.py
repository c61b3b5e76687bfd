import io
import math

import numpy as np
import pytest
from fake_study import TASKS, block_study, cells, fake_study, keep, play
from rich.console import Console

from chunkenv.bench.analysis.groups import cells as by_cell
from chunkenv.bench.analysis.groups import differences, overall
from chunkenv.bench.analysis.intervals import interquartile_mean, paired_difference, pooled, wilson
from chunkenv.bench.analysis.solve_rates import solve_rate
from chunkenv.bench.analysis.study_progress import progress
from chunkenv.bench.report.tables import make_tables, terminal_table
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Cell


def made_up(study, unit, solves=True):
    """A row that depends on its unit as no other."""
    number = study.units.index(unit)
    row = {"seed": number, "ticks": 10 + number, "return": math.sin(number), "underruns": 0, "decisions": 5}
    return row | {"success": number % 3 > 0 if solves else None, "jerk": number / 7 if unit.cell.delay else None}


@pytest.fixture
def study():
    return fake_study(episodes=5)


@pytest.fixture(params=[True, False], ids=["solved", "return"])
def store(tmp_path, study, request):
    with Store(tmp_path / "episodes.sqlite") as store:
        store.begin(study)
        for unit in study.units:
            keep(store, unit, made_up(study, unit, request.param))
        yield store


def rows_at(store, **values):
    return [row for row in store.rows() if all(row[name] == value for name, value in values.items())]


def by_task(rows, name):
    return [np.array([row[name] for row in rows if row["task"] == task]) for task in TASKS]


def test_groups_over_all_tasks_are_the_rows_of_their_settings(store):
    groups = overall(store)
    assert groups.keys == ["method", "delay"]
    assert groups.shared == {"execution_horizon": 2, "prediction_horizon": 4}
    assert len(groups.groups) == 4
    for group in groups.groups:
        rows = rows_at(store, **dict(zip(groups.keys, group.key, strict=True)))
        assert group.episodes == len(rows) == 10
        assert group.means["ticks"] == pytest.approx(np.mean([row["ticks"] for row in rows]))
        assert ("jerk" in group.means) == (group.key[1] == 1)


def test_scores_are_those_of_the_rows(store):
    for group in overall(store).groups:
        rows = rows_at(store, method=group.key[0], delay=group.key[1])
        if rows[0]["success"] is not None:
            assert group.score == solve_rate([row["success"] for row in rows])
            assert group.middle is None
        else:
            assert group.score == pytest.approx(pooled(by_task(rows, "return")))
            assert group.middle == pytest.approx(interquartile_mean(by_task(rows, "return")))


def test_differences_are_paired(store):
    baseline, fields, compared = differences(store, overall(store))
    assert (baseline, fields) == ("bold", ["delay"])
    assert [(each.method, each.key) for each in compared] == [("shy", (0,)), ("shy", (1,))]
    name = "success" if overall(store).solves else "return"
    for each in compared:
        shy, bold = (by_task(rows_at(store, method=m, delay=each.key[0]), name) for m in ("shy", "bold"))
        expected = paired_difference(shy, bold)
        assert each.difference.estimate == pytest.approx(expected.estimate)
        assert each.difference.low == pytest.approx(expected.low, abs=0.05)
        assert each.difference.high == pytest.approx(expected.high, abs=0.05)


def test_the_baseline_is_naive_if_there_is_such_a_method(tmp_path):
    renamed = [
        cell.__class__(**{**vars(cell), "method": {"shy": "naive"}.get(cell.method, cell.method)}) for cell in cells()
    ]
    study = fake_study(cells=tuple(renamed), episodes=2)
    with Store(tmp_path / "episodes.sqlite") as store:
        store.begin(study)
        for unit in study.units:
            keep(store, unit, made_up(study, unit))
        assert differences(store, overall(store))[0] == "naive"


def test_a_single_method_is_compared_with_nothing(tmp_path):
    study = fake_study(cells=cells()[:2], episodes=2)
    with Store(tmp_path / "episodes.sqlite") as store:
        store.begin(study)
        for unit in study.units:
            keep(store, unit, made_up(study, unit))
        assert differences(store, overall(store)) == ("", [], [])
        assert [table.title for table in make_tables(store, overall(store))] == ["Results"]


def test_rows_beyond_the_plan_do_not_count(store, study):
    store.begin(fake_study(episodes=2, cells=cells()[:3]))
    groups = by_cell(store)
    assert [group.episodes for group in groups.groups] == [2, 2, 2]
    assert len(store.rows()) == 40


def test_results_of_a_studys_own_are_averaged(tmp_path):
    study = block_study(episodes=3)
    with Store(tmp_path / "episodes.sqlite", study.cell, study.results) as store:
        store.begin(study)
        for block in study.blocks:
            store.keep(block, study.play(block.cell, block.episodes, 0))
        assert {group.means["energy"] for group in overall(store).groups} == {0.125}


def play_half_known(cell, episodes, seed):
    return [row | {"success": True if row["energy"] < 0.25 else None} for row in play(cell, episodes, seed)]


def test_successes_that_are_not_known_do_not_count(tmp_path):
    """Case 4: True in 2 of 8 episodes and None in 6 were "episodes 8, solved 100.0"."""
    study = block_study(episodes=8, cells=cells()[:2], play=play_half_known, batch=8)
    with Store(tmp_path / "episodes.sqlite", study.cell, study.results) as store:
        store.begin(study)
        for block in study.blocks:
            store.keep(block, study.play(block.cell, block.episodes, 0))
        whole = overall(store)
        assert progress(store).known == 4
    assert [(group.episodes, group.known, group.score) for group in whole.groups] == [(8, 2, wilson(2, 2))] * 2
    table = terminal_table(whole)
    assert [str(column.header) for column in table.columns][1:3] == ["episodes", "success known of"]
    assert list(table.columns[3].cells) == ["100.0 (34.2 to 100.0)"] * 2


def test_a_group_of_which_nothing_is_known_says_so(tmp_path):
    study = block_study(episodes=2, cells=cells()[:2], batch=2)
    with Store(tmp_path / "episodes.sqlite", study.cell, study.results) as store:
        store.begin(study)
        for block in study.blocks:
            rows = study.play(block.cell, block.episodes, 0)
            store.keep(block, [row | {"success": None} for row in rows] if block.cell.delay else rows)
        assert list(terminal_table(overall(store)).columns[3].cells)[1] == "not known"


def test_each_task_weighs_the_same_whatever_is_there_of_it(tmp_path):
    """What is shown over all tasks is what differences are differences of."""
    study = block_study(episodes=12, batch=4, play=play)
    with Store(tmp_path / "episodes.sqlite", study.cell, study.results) as store:
        store.begin(study)
        for block in study.blocks:
            if block.cell.task == "left" or block.episodes[0] == 0:
                solved = block.cell.task == "left" and block.cell.method == "shy"
                rows = [row | {"success": solved} for row in study.play(block.cell, block.episodes, 0)]
                store.keep(block, [row | {"ticks": 10 if block.cell.task == "left" else 20} for row in rows])
        whole = overall(store)
        _, _, compared = differences(store, whole)
    rates = {group.key: group.score.estimate for group in whole.groups}
    assert rates == {("bold", 0): 0, ("bold", 1): 0, ("shy", 0): 0.5, ("shy", 1): 0.5}
    assert [each.difference.estimate for each in compared] == [0.5, 0.5]
    assert [each.pairs for each in compared] == [16, 16]
    assert {group.means["ticks"] for group in whole.groups} == {15}
    assert "Over 2 tasks, each weighing the same." in terminal_table(whole).caption


def noisy_play(cell, episodes, seed):
    noise = 2e-8 if cell.method == "shy" else 0.0
    return [
        row | {"success": None, "return": row["return"] + noise * row["energy"]} for row in play(cell, episodes, seed)
    ]


def test_a_difference_that_is_nothing_beside_the_returns_is_none(tmp_path):
    """Case 16: it was written as 2.02e-08 (1.339e-08 to 2.707e-08)."""
    study = block_study(episodes=20, batch=20, play=noisy_play)
    with Store(tmp_path / "episodes.sqlite", study.cell, study.results) as store:
        store.begin(study)
        for block in study.blocks:
            store.keep(block, study.play(block.cell, block.episodes, 0))
        whole, against, _ = make_tables(store, overall(store))
    assert [row[-1].text for row in against.rows] == ["no difference", "no difference"]
    assert [row[-2].text for row in against.rows] == ["40", "40"]
    assert not any("e-" in entry.text for row in whole.rows for entry in row)


def test_equal_methods_have_an_interval_of_the_difference(tmp_path):
    with Store(tmp_path / "episodes.sqlite", Cell, {"energy": float}) as store:
        study = block_study(episodes=20, batch=20)
        store.begin(study)
        for block in study.blocks:
            rows = study.play(block.cell, block.episodes, 0)
            store.keep(block, [row | {"success": True} for row in rows])
        _, against, _ = make_tables(store, overall(store))
    assert [row[-1].text for row in against.rows] == ["+0.0 (-8.8 to +8.8)"] * 2


def test_names_in_brackets_are_shown(tmp_path):
    odd = tuple(Cell("arm", method, 0, 2, 4) for method in ("[red]", "[/]"))
    study = block_study(episodes=2, cells=odd)
    with Store(tmp_path / "episodes.sqlite", study.cell, study.results) as store:
        store.begin(study)
        for block in study.blocks:
            store.keep(block, study.play(block.cell, block.episodes, 0))
        console = Console(file=io.StringIO(), width=200)
        console.print(terminal_table(overall(store)))
    assert "[red]" in console.file.getvalue()
    assert "[/]" in console.file.getvalue()


def test_sheets_show_every_group_and_say_what_is_sorted_by(store):
    whole, against, each = make_tables(store, overall(store))
    assert [len(table.rows) for table in (whole, against, each)] == [4, 2, 8]
    assert whole.header[:3] == ["method", "delay", "episodes"]
    assert "jerk" in whole.header
    assert "charged latency (s)" not in whole.header
    assert each.header[0] == "task"
    jerks = [row[whole.header.index("jerk")] for row in whole.rows]
    assert [entry.text == "" for entry in jerks] == [True, False, True, False]
    assert all(isinstance(entry.value, float) for entry in jerks)


def test_the_terminal_shows_settings_and_scores(store):
    table = terminal_table(overall(store))
    assert table.row_count == 4
    assert [str(column.header) for column in table.columns][:3] == ["method", "delay", "episodes"]
    assert "jerk" not in [column.header for column in table.columns]
