"""Rows of decisions in studies: played, kept, merged, exported; and files that have none."""

import csv
import math
from dataclasses import dataclass, replace

import pyarrow.parquet
import pytest
from fake_study import TASKS, Walk, block_study, cells, fake_study, make_env, make_policy

from chunkenv import ChunkedExecution, evaluate
from chunkenv.bench.run.block_player import play_block
from chunkenv.bench.run.runner import run_study
from chunkenv.bench.store.columns import columns_of, decision_name
from chunkenv.bench.store.exporting import export
from chunkenv.bench.store.merging import merge
from chunkenv.bench.store.reading import open_store
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Block, Cell
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import DECISION
from chunkenv.latency import Measured

KEEPING = fake_study(episodes=3, keep_decisions=True)
TIMED = {decision_name(name) for name, column in DECISION.items() if column.timed}


def open_for(path, study):
    return Store(path, study.cell, study.results)


def played(path, study=KEEPING, workers=1):
    with open_for(path, study) as store:
        list(run_study(study, store, workers))
    return path


def repeatable(rows):
    return [{name: value for name, value in row.items() if name not in TIMED} for row in rows]


def decisions_in(path):
    with open_store(path) as store:
        return store.decisions()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "episodes.sqlite"


def test_the_columns_do_not_meet_those_of_a_cell():
    columns = columns_of(Cell, {})
    names = ["decision_tick", "decision_delay", "decision_horizon", "decision_ticks", "decision_underruns"]
    assert list(columns.decisions) == [*vars(cells()[0]), "episode", "decision", *names, "decision_evaluations",
                                       "decision_seconds"]  # fmt: skip
    assert columns.decisions["decision_seconds"] == "REAL"
    assert columns.decisions["decision_delay"] == "INTEGER NOT NULL"


def test_a_cell_with_such_a_field_is_refused_only_where_decisions_are_kept():
    @dataclass(frozen=True)
    class Mine:
        decision: str

    study = replace(fake_study(), cells=(Mine("x"),))
    with pytest.raises(ArgumentError, match="the column 'decision' is there already"):
        replace(study, keep_decisions=True)


def test_a_study_keeps_what_evaluate_says(path):
    decisions = []
    cell = KEEPING.cells[0]
    rows = evaluate(lambda: make_env(cell), make_policy(cell), 3, KEEPING.seed, decisions=decisions)
    with open_store(played(path)) as store:
        kept = [row for row in store.decisions() if all(row[name] == value for name, value in vars(cell).items())]
        episodes = [row for row in store.rows() if all(row[name] == value for name, value in vars(cell).items())]
    expected = [
        vars(cell) | {name if name == "episode" else decision_name(name): value for name, value in row.items()}
        for row in decisions
    ]
    assert repeatable(kept) == repeatable(expected)
    assert all(row["decision_seconds"] > 0 for row in kept)
    assert [row["decisions"] for row in episodes] == [row["decisions"] for row in rows]


def test_rows_depend_neither_on_workers_nor_on_what_is_kept(tmp_path):
    one, two = played(tmp_path / "1.sqlite"), played(tmp_path / "2.sqlite", workers=2)
    assert repeatable(decisions_in(one)) == repeatable(decisions_in(two))
    plain = played(tmp_path / "3.sqlite", fake_study(episodes=3))
    assert decisions_in(plain) == []
    with open_store(one) as first, open_store(plain) as third:
        assert first.rows() == third.rows()
        assert (first.keeps_decisions, third.keeps_decisions) == (True, False)


def test_a_run_goes_on(path):
    played(path, replace(KEEPING, episodes=1))
    before = decisions_in(path)
    assert {row["episode"] for row in before} == {0}
    after = decisions_in(played(path))
    assert [row for row in after if row["episode"] == 0] == before
    assert {row["episode"] for row in after} == {0, 1, 2}


@pytest.mark.parametrize("first", [True, False])
def test_episodes_with_and_without_are_not_mixed(path, first):
    played(path, replace(KEEPING, keep_decisions=first))
    words = ("with", "without") if first else ("without", "with")
    sentence = "holds episodes {} the rows of their decisions, and this run is to go on {} them".format(*words)
    with pytest.raises(ArgumentError, match=sentence):
        played(path, replace(KEEPING, keep_decisions=not first))
    with open_for(path, KEEPING) as store:
        store.clear()
        assert store.decisions() == []
    played(path, replace(KEEPING, keep_decisions=not first))
    assert bool(decisions_in(path)) is not first


def test_what_is_there_keeps_its_decisions(path):
    study = replace(KEEPING, cells=KEEPING.cells[:1])
    block = Block(study.cells[0], (0, 1))
    found = []
    rows = play_block(study, block, found)
    with open_for(path, study) as store:
        store.begin(study)
        store.keep(Block(block.cell, (0,)), rows[:1], [row for row in found if row["episode"] == 0])
        store.keep(block, rows, [row | {"decision_seconds": 99.0} for row in found])
        times = {row["episode"]: row["decision_seconds"] for row in store.decisions()}
        assert (times[0] < 99.0, times[1]) == (True, 99.0)
        assert len(store.decisions()) == len(found)


def test_a_file_without_rows_takes_a_study_of_other_columns(path):
    with open_for(path, KEEPING) as store:
        store.begin(KEEPING)
    study = replace(block_study(), results={"energy": float, "heat": float})
    with open_for(path, study) as store:
        store.begin(study)
        assert not store.keeps_decisions


def test_parts_are_merged(tmp_path):
    parts = [
        played(tmp_path / f"{task}.sqlite", replace(KEEPING, cells=tuple(c for c in KEEPING.cells if c.task == task)))
        for task in TASKS
    ]
    again = played(tmp_path / "again.sqlite", replace(KEEPING, episodes=2))
    merge([*parts, again], tmp_path / "both.sqlite")
    assert decisions_in(tmp_path / "both.sqlite") == [row for part in parts for row in decisions_in(part)]


def test_parts_with_and_without_are_not_merged(tmp_path):
    parts = [played(tmp_path / "a.sqlite"), played(tmp_path / "b.sqlite", fake_study(episodes=3))]
    with pytest.raises(ArgumentError, match="keep_decisions is False there, True here"):
        merge(parts, tmp_path / "both.sqlite")


def test_they_are_exported(path, tmp_path):
    with open_store(played(path)) as store:
        paths = export(store, tmp_path / "out")
        rows = store.decisions()
    assert [each.name for each in paths] == ["episodes.csv", "episodes.parquet", "decisions.csv", "decisions.parquet"]
    assert pyarrow.parquet.read_table(paths[3]).to_pylist() == rows
    assert pyarrow.parquet.read_schema(paths[3]).field("decision_evaluations").type == pyarrow.int64()
    with paths[2].open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [list(row.values()) for row in found] == [
        ["" if value is None else str(value) for value in row.values()] for row in rows
    ]


def play_decisions(cell, episodes, seed):
    """A study's own loop."""
    rows, decisions = [], []
    for episode in episodes:
        found = []
        rows += play_block(fake_study(cells=(cell,), seed=seed, keep_decisions=True), Block(cell, (episode,)), found)
        decisions += [
            {name: row[name if name == "episode" else decision_name(name)] for name in ("episode", *DECISION)}
            for row in found
        ]
    return rows, decisions


def test_a_study_may_play_itself(tmp_path):
    own = replace(KEEPING, make_env=None, make_policy=None, play=play_decisions, batch=2)
    found = decisions_in(played(tmp_path / "own.sqlite", own))
    assert repeatable(found) == repeatable(decisions_in(played(tmp_path / "usual.sqlite")))


def change_last(name, value):
    return lambda rows, found: (rows, [*found[:-1], found[-1] | {name: value}])


def leave_out(name):
    return lambda rows, found: (rows, [{key: value for key, value in row.items() if key != name} for row in found])


WRONG = {
    "rows alone": (lambda rows, found: rows, r"play returned list and the study keeps decisions; return \(rows, dec"),
    "no list": (lambda rows, found: (rows, None), r"play returned tuple and the study keeps decisions"),
    "one too few": (lambda rows, found: (rows, found[:-1]), r"other decisions of episode 1 than its row counts, \d+;"),
    "of another episode": (change_last("episode", 7), "other decisions of episode 1"),
    "of one episode more": (
        lambda rows, found: (rows, [*found, found[0] | {"episode": 7}]),
        "decisions of episode 7, which it was not asked for",
    ),
    "no dict": (lambda rows, found: (rows, [1]), "returned 1 as the row of a decision; a row is a dict"),
    "without the delay": (leave_out("delay"), "a decision without 'delay'; its keys are episode, decision, tick,"),
    "with more": (change_last("heat", 1.0), "a decision with 'heat'"),
    "a text": (change_last("tick", "one"), "decision_tick='one', which the column 'decision_tick' does not take"),
    "NaN": (change_last("delay", float("nan")), "decision_delay=nan, which the column"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_play_must_not_return(case):
    spoil, sentence = WRONG[case]
    study = replace(KEEPING, play=lambda *arguments: spoil(*play_decisions(*arguments)))
    with pytest.raises(ArgumentError, match=sentence):
        play_block(study, Block(KEEPING.cells[0], (0, 1)), [])


@pytest.mark.parametrize("name", ["evaluations", "seconds"])
def test_what_need_not_be_known(name):
    study, found = replace(KEEPING, play=lambda *arguments: leave_out(name)(*play_decisions(*arguments))), []
    play_block(study, Block(KEEPING.cells[0], (0, 1)), found)
    assert {row[decision_name(name)] for row in found} == {None}


def make_measured_env(cell):
    return ChunkedExecution(Walk(cell.task), 4, 2, latency=Measured(scale=1000), control_dt=0.1, delay_estimate="last")


def test_measured_inferences_are_charged_in_studies(path):
    """Each decision waits for its own seconds, a thousand times as long; only the first is free."""
    rows = decisions_in(played(path, replace(KEEPING, make_env=make_measured_env)))
    for row in rows:
        charged = math.ceil(1000 * row["decision_seconds"] / 0.1) if row["decision"] else 0
        assert row["decision_delay"] == pytest.approx(charged, abs=1e-9)
    assert any(row["decision_delay"] for row in rows)
