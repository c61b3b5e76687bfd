import dataclasses

import pytest
from fake_study import block_study, cells

from chunkenv.bench.store.columns import REQUIRED, columns_of
from chunkenv.bench.study import Cell
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import MEASURES


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
