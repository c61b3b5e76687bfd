import dataclasses

import pytest
from fake_study import block_study, cells

from chunkenv.bench.analysis.groups import cells as by_cell
from chunkenv.bench.analysis.groups import differences, overall
from chunkenv.bench.analysis.study_progress import progress
from chunkenv.bench.report.tables import make_tables, terminal_table
from chunkenv.bench.report.write import write_report
from chunkenv.bench.run.block_player import play_block
from chunkenv.bench.run.block_queue import missing_blocks
from chunkenv.bench.store.columns import REQUIRED, columns_of
from chunkenv.bench.store.exporting import export
from chunkenv.bench.store.merging import merge
from chunkenv.bench.store.reading import open_store
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Cell, Study
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import MEASURES, episode_seed


def cell_of(**fields):
    return dataclasses.make_dataclass("Mine", list(fields.items()), frozen=True)


def test_columns_are_the_cells_the_episodes_the_measures_and_the_studys_own():
    columns = columns_of(Cell, {"energy": float, "fell": bool, "steps": int, "why": str})
    assert list(columns.all) == [*vars(cells()[0]), *REQUIRED, *MEASURES, "energy", "fell", "steps", "why"]
    assert [columns.all[name] for name in columns.own] == ["REAL", "BOOLEAN", "INTEGER", "TEXT"]


BAD = {
    "a list in a cell": (cell_of(task=list), {}, "the cell's field 'task' is of the type .*list.*int, float, str"),
    "a truth in a cell": (cell_of(late=bool), {}, "the cell's field 'late'"),
    "no dataclass": (int, {}, "cells of int are no dataclasses"),
    "a field like a result": (cell_of(ticks=int), {}, "the column 'ticks' is there already"),
    "a result like a field": (Cell, {"task": str}, "the column 'task' is there already"),
    "a result like a measure": (Cell, {"jerk": float}, "the column 'jerk' is there already"),
    "a result with a space": (Cell, {"my energy": float}, "the result 'my energy' cannot be a column"),
    "a result with a quote": (Cell, {'a"b': float}, "cannot be a column"),
    "no name": (Cell, {"": float}, "the result '' cannot be a column"),
    "a number as a name": (Cell, {1: float}, "the result 1 cannot be a column"),
    "no fields": (cell_of(), {}, "have no fields"),
    "results that differ in case": (Cell, {"n": int, "N": int}, "'n' and 'N' differ in nothing but case"),
    "a field like a result in case": (cell_of(Return=float), {}, "'return' and 'Return' differ in nothing but case"),
    "a result like a field in case": (Cell, {"Delay": int}, "'delay' and 'Delay' differ in nothing but case"),
    "a list as a result": (Cell, {"forces": list}, "the result 'forces' is of the type .* bool, int, float, str"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_columns(case):
    cell, results, sentence = BAD[case]
    with pytest.raises(ArgumentError, match=sentence):
        columns_of(cell, results)


def test_a_study_says_so_when_it_is_made():
    with pytest.raises(ArgumentError, match="there already"):
        block_study(results={"ticks": int})


def test_outside_ascii_a_database_tells_cases_apart(tmp_path):
    with Store(tmp_path / "episodes.sqlite", Cell, {"é": int, "É": int}) as store:
        assert list(store.columns.own) == ["é", "É"]


NAMES = (
    *("n", "known", "solved", "planned", "place", "first", "second", "of_task", "value", "rowid", "_rowid_", "oid"),
    *("cost", "count", "runner", "episodes", "claimed", "finished", "kept", "played", "a", "b", "plan", "old_plan"),
)
"""Names that queries and tables of ours have or had."""


def named(prefix, as_fields):
    """A study whose cells have all of these names, or whose rows have, with values that would be mistaken for ours."""
    own = {} if as_fields else {f"{prefix}{name}": int for name in NAMES}
    fields = {f"{prefix}{name}": int for name in NAMES} if as_fields else {}
    Odd = dataclasses.make_dataclass(
        "Odd", [("task", str), ("method", str), ("delay", int), *fields.items()], frozen=True
    )

    def play(cell, episodes, seed):
        return [
            {
                "seed": episode_seed(seed, episode),
                "ticks": 30 + episode,
                "return": float(episode),
                "success": (episode + cell.delay + (cell.method == "shy")) % 4 > 0,
                "underruns": 0,
                "decisions": 15,
                **dict.fromkeys(own, 7 + episode % 2),
            }
            for episode in episodes
        ]

    values = [place + 3 for place in range(len(fields))]
    odd = tuple(
        Odd(task, method, delay, *(value + 2 - delay for value in values))
        for task in ("right", "left")
        for method in ("shy", "naive")
        for delay in (0, 1)
    )
    return Study("names", odd, play=play, episodes=10, seed=0, batch=4, results=own)


def keep_all(study, path):
    """Its rows, all but the last block's, which is under way."""
    with Store(path, study.cell, study.results) as store:
        store.begin(study)
        *blocks, last = missing_blocks(study, store)
        for block in blocks:
            store.claim(block)
            store.keep(block, play_block(study, block))
        store.claim(last)
    return path


def seen(path):
    """All that is counted and shown of a study, with names as they would be without the prefix."""
    with open_store(path) as store:
        whole, each = overall(store), by_cell(store)
        times = {"oldest_claim": 0, "last_row": 0, "rate": 0, "left": 0, "seconds": 0}
        counted = [whole, each, differences(store, whole), store.rows(), progress(store)._replace(**times)]
        shown = [make_tables(store, whole), [list(column.cells) for column in terminal_table(whole).columns]]
    return repr((counted, shown)).replace("xx_", "").replace("xx ", "")


@pytest.mark.parametrize("as_fields", [True, False], ids=["fields", "results"])
def test_no_name_of_a_study_is_mistaken_for_one_of_ours(tmp_path, as_fields):
    """Case 1: the numbers are those of the same study with names that nothing else has."""
    odd = keep_all(named("", as_fields), tmp_path / "odd.sqlite")
    plain = keep_all(named("xx_", as_fields), tmp_path / "plain.sqlite")
    assert seen(odd) == seen(plain)


def test_rates_of_results_called_n_known_and_solved(tmp_path):
    def play(cell, episodes, seed):
        base = {"ticks": 1, "return": 0.0, "underruns": 0, "decisions": 1, "n": 7, "known": 3, "solved": True}
        return [base | {"seed": episode_seed(seed, each), "success": each < 5} for each in episodes]

    results = {"solved": bool, "n": int, "known": int}
    study = block_study(cells=cells()[:1], episodes=10, batch=10, play=play, results=results)
    with Store(tmp_path / "episodes.sqlite", study.cell, results) as store:
        store.begin(study)
        store.keep(study.blocks[0], play_block(study, study.blocks[0]))
        (line,) = make_tables(store, overall(store))[0].rows
    assert [entry.text for entry in line[:2]] == ["10", "50.0 (23.7 to 76.3)"]


@pytest.mark.parametrize("as_fields", [pytest.param(True, marks=pytest.mark.slow), False], ids=["fields", "results"])
def test_a_study_with_such_names_is_merged_reported_and_exported(tmp_path, as_fields):
    study = named("", as_fields)
    halves = [dataclasses.replace(study, cells=study.cells[part::2]) for part in (0, 1)]
    paths = [keep_all(half, tmp_path / str(number) / "episodes.sqlite") for number, half in enumerate(halves)]
    both = tmp_path / "both" / "episodes.sqlite"
    assert merge(paths, both) == 76
    with open_store(both) as store:
        assert progress(store).planned == 80
        assert all(
            path.is_file() for path in write_report(store, both.parent, both.parent) + export(store, both.parent)
        )
    with Store(both, study.cell, study.results) as store:
        store.begin(study)
        for block in missing_blocks(study, store):
            store.keep(block, play_block(study, block))
        assert len(store.rows()) == 80
