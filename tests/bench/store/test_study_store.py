import contextlib
import sqlite3
from dataclasses import dataclass, replace

import pytest
from fake_study import block_study, cells, fake_study, keep

from chunkenv.bench.analysis.study_progress import progress
from chunkenv.bench.run.block_queue import missing_blocks
from chunkenv.bench.store.columns import columns_of, declare, quote
from chunkenv.bench.store.fingerprint import study_code
from chunkenv.bench.store.provenance import METHOD, versions
from chunkenv.bench.store.reading import open_store
from chunkenv.bench.store.schema import APPLICATION_ID, LAYOUT
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Cell, Unit
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import MEASURES

UNIT = Unit(cells()[0], 0)
ROW = {"seed": 7, "ticks": 30, "return": 1.5, "success": True, "underruns": 2, "decisions": 15}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "folder" / "episodes.sqlite"


def test_a_row_comes_back_as_it_was(path):
    with Store(path) as store:
        keep(store, UNIT, ROW)
    with Store(path) as store:
        assert store.done() == {UNIT}
        (row,) = store.rows()
    assert row == {
        "task": "left",
        "method": "bold",
        "delay": 0,
        "execution_horizon": 2,
        "prediction_horizon": 4,
        "episode": 0,
        **ROW,
        **dict.fromkeys(MEASURES),
    }
    assert row["success"] is True


@pytest.mark.parametrize("success", [True, False, None])
def test_success_may_be_unknown(path, success):
    with Store(path) as store:
        keep(store, UNIT, ROW | {"success": success})
        assert store.rows()[0]["success"] is success


def test_a_unit_has_one_row(path):
    with Store(path) as store:
        keep(store, UNIT, ROW)
        keep(store, UNIT, ROW | {"ticks": 1})
        assert [row["ticks"] for row in store.rows()] == [30]


def test_rows_are_ordered_whatever_came_first(path):
    units = fake_study().units
    with Store(path) as store:
        for unit in reversed(units):
            keep(store, unit, ROW)
        keys = [(row["task"], row["method"], row["delay"], row["episode"]) for row in store.rows()]
    assert keys == sorted(keys)
    assert len(keys) == len(units)


def test_a_row_is_there_for_others_at_once(path):
    with Store(path) as writer, Store(path) as reader:
        keep(writer, UNIT, ROW)
        assert len(reader.rows()) == 1


@pytest.mark.parametrize("broken", [{"ticks": None}, {"return": float("nan")}, {"seed": [1]}, {"unknown": 1}])
def test_a_row_that_cannot_be_kept_leaves_nothing(path, broken):
    with Store(path) as store:
        with pytest.raises(ArgumentError, match=r"cannot be used as a database of episodes"):
            keep(store, UNIT, ROW | broken)
        assert store.rows() == []
        keep(store, UNIT, ROW)
        assert len(store.rows()) == 1


def test_no_write_ahead_log_lies_beside_the_file(path):
    with Store(path) as store:
        keep(store, UNIT, ROW)
        assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_runs_are_noted_once_for_each_way_of_making_rows(path, monkeypatch):
    with Store(path) as store:
        store.begin(fake_study())
        store.begin(fake_study(episodes=9))
        monkeypatch.setattr("chunkenv.bench.store.study_store.machine", lambda: "an abacus")
        store.begin(fake_study())
        first, second = store.runs()
    assert (first["study"], first["seed"], first["settings"]) == ("fake", 0, {"noise": 0.2})
    assert {"chunkenv", "code", "python", "numpy", "gymnasium"} <= first["versions"].keys()
    assert second["machine"] == "an abacus"


MIXED = {
    "another seed": ({"seed": 1}, "seed 0, which must not be mixed with 1"),
    "other settings": ({"settings": {"noise": 0.3}}, "the settings {'noise': 0.2}, which must not be mixed with"),
    "another study": ({"name": "other"}, "the study 'fake', which must not be mixed with 'other'"),
}


@pytest.mark.parametrize("case", MIXED)
def test_rows_that_cannot_be_compared_are_not_mixed(path, case):
    changes, sentence = MIXED[case]
    with Store(path) as store:
        store.begin(fake_study())
        keep(store, UNIT, ROW)
        with pytest.raises(ArgumentError, match=f"{sentence}.*--out.*--overwrite"):
            store.begin(replace(fake_study(), **changes))
        assert len(store.runs()) == 1


def test_rows_of_other_code_are_not_mixed(path, monkeypatch):
    with Store(path) as store:
        store.begin(fake_study())
        keep(store, UNIT, ROW)
        monkeypatch.setattr("chunkenv.bench.store.provenance.code", lambda: "0123456789ab")
        with pytest.raises(
            ArgumentError, match=r"fingerprint '[0-9a-f]{12}', which must not be mixed with '0123456789ab'"
        ):
            store.begin(fake_study())
        store.clear()
        store.begin(fake_study())


def test_a_file_without_rows_takes_any_study(path):
    with Store(path) as store:
        store.begin(fake_study())
        store.begin(fake_study(seed=1))
        assert [run["seed"] for run in store.runs()] == [1]


def test_a_run_does_not_keep_rows_in_a_file_that_another_study_took(path):
    with Store(path) as first, Store(path) as second:
        first.begin(fake_study())
        second.begin(fake_study(seed=1))
        with pytest.raises(ArgumentError, match="seed 1, which must not be mixed with 0"):
            keep(first, UNIT, ROW)
        keep(second, UNIT, ROW)


def test_rows_of_an_older_fingerprint_are_read_but_not_gone_on_with(path, monkeypatch):
    older = {name: value for name, value in versions().items() if name != METHOD}
    with Store(path) as store:
        monkeypatch.setattr("chunkenv.bench.store.study_store.versions", lambda: older)
        store.begin(fake_study())
        keep(store, UNIT, ROW)
        monkeypatch.undo()
        with pytest.raises(ArgumentError, match=r"rows of an older chunkenv.*reported.*no run can go on.*--overwrite"):
            store.begin(fake_study())
    with open_store(path) as store:
        assert len(store.rows()) == 1


def test_other_cells_and_more_episodes_may_join(path):
    with Store(path) as store:
        store.begin(fake_study())
        store.begin(fake_study(episodes=99, cells=cells(delays=(1, 2))))


def test_clear_throws_everything_away(path):
    with Store(path) as store:
        store.begin(fake_study())
        keep(store, UNIT, ROW)
        store.clear()
        assert store.rows() == store.runs() == []


@dataclass(frozen=True)
class NoisyCell:
    task: str
    noise: float
    delay: int


def test_a_study_may_have_cells_of_its_own(path):
    unit = Unit(NoisyCell("left", 0.5, 1), 3)
    with Store(path, NoisyCell) as store:
        keep(store, unit, ROW)
        assert store.done() == {unit}
    with pytest.raises(ArgumentError, match="has rows with the columns task, noise, delay, episode"):
        Store(path)


def foreign(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (cake TEXT)")


def same_names(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE episodes (title TEXT)")
        connection.execute("CREATE TABLE study (title TEXT)")


def half_of_a_file(path):
    with Store(path) as store:
        for unit in fake_study(episodes=20).units:
            keep(store, unit, ROW)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


BROKEN = {
    "text": (lambda path: path.write_text("no database, " * 100), "file is not a database"),
    "somebody else's": (foreign, "is a database of something else"),
    "somebody else's with our names": (same_names, "is a database of something else"),
    "half of a file": (half_of_a_file, "malformed"),
    "a folder": (lambda path: path.mkdir(), "unable to open database file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_files_that_are_not_ours_are_refused_and_left_alone(tmp_path, case):
    make, sentence = BROKEN[case]
    path = tmp_path / "episodes.sqlite"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ArgumentError, match=f"episodes.sqlite .*{sentence}.*--out"), Store(path) as store:
        store.rows()
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(
        ArgumentError, match=r"results cannot be a folder for results \(.*\); choose another with --out"
    ):
        Store(tmp_path / "results" / "episodes.sqlite")


def test_an_empty_file_is_a_new_database(tmp_path):
    path = tmp_path / "episodes.sqlite"
    path.touch()
    with Store(path) as store:
        assert store.rows() == []


def older(path, rows=(ROW,)):
    """A database as chunkenv made it before there were measures, a plan and blocks."""
    keys = ["task TEXT NOT NULL", "method TEXT NOT NULL", "delay INTEGER NOT NULL"]
    keys += ["execution_horizon INTEGER NOT NULL", "prediction_horizon INTEGER NOT NULL"]
    results = ["episode INTEGER NOT NULL", "seed INTEGER NOT NULL", "ticks INTEGER NOT NULL", '"return" REAL NOT NULL']
    results += ["success INTEGER", "underruns INTEGER NOT NULL", "decisions INTEGER NOT NULL"]
    unique = "UNIQUE (task, method, delay, execution_horizon, prediction_horizon, episode)"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(
            "CREATE TABLE study (run INTEGER PRIMARY KEY, started TEXT, study TEXT, seed INTEGER, settings TEXT, "
            "versions TEXT, machine TEXT)"
        )
        connection.execute(f"CREATE TABLE episodes ({', '.join(keys + results)}, {unique})")
        for row in rows:
            values = [*vars(UNIT.cell).values(), UNIT.episode, *row.values()]
            connection.execute(f"INSERT INTO episodes VALUES ({', '.join('?' * len(values))})", values)


def test_an_older_database_is_brought_up_to_date(tmp_path):
    path = tmp_path / "episodes.sqlite"
    older(path)
    with Store(path) as store:
        (row,) = store.rows()
        assert row == {**vars(UNIT.cell), "episode": 0, **ROW, **dict.fromkeys(MEASURES)}
        study = fake_study()
        store.begin(study)
        assert len(missing_blocks(study, store)) == len(study.blocks) - 1
        keep(store, study.units[-1], ROW | {"jerk": 0.5})
    with open_store(path) as store:
        assert sorted(str(row["jerk"]) for row in store.rows()) == ["0.5", "None"]


BOOKS_OF_LAYOUT_2 = {
    "plan": ({"episodes": "INTEGER", "cost": "REAL"}, ""),
    "blocks": (
        {"first": "INTEGER", "count": "INTEGER", "runner": "TEXT", "claimed": "REAL", "finished": "REAL"},
        ", first",
    ),
}


def layout_2(path, cell=Cell):
    """Make the books of a database as they were, and leave the newest measure out."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        keys = columns_of(cell, {}).keys
        for table, (own, unique) in BOOKS_OF_LAYOUT_2.items():
            here = quote(f"#{name}" for name in own)
            connection.execute(f"ALTER TABLE {table} RENAME TO new_{table}")
            unit = f"UNIQUE ({quote(keys)}{unique})"
            connection.execute(f"CREATE TABLE {table} ({declare({**keys, **own})}, {unit})")
            names = f"{quote(keys)}, {quote(own)}"
            connection.execute(f"INSERT INTO {table} ({names}) SELECT {quote(keys)}, {here} FROM new_{table}")
            connection.execute(f"DROP TABLE new_{table}")
        connection.execute("ALTER TABLE episodes DROP COLUMN first_success")
        connection.execute("ALTER TABLE study DROP COLUMN about")
        connection.execute("PRAGMA user_version = 2")


@dataclass(frozen=True)
class RowCell:
    task: str
    rowid: int
    planned: int


@pytest.mark.parametrize("kind", [Cell, RowCell])
def test_a_database_of_layout_2_is_brought_up_to_date(path, kind):
    odd = tuple(RowCell(task, -number, number) for number, task in enumerate(("left", "right", "up"))) * (
        kind is RowCell
    )
    study = block_study(cells=odd or cells(), play=block_study().play, results={}, episodes=5, batch=2)
    with Store(path, kind) as store:
        store.begin(study)
        store.claim(study.blocks[1])
        keep(store, study.units[0], ROW)
        before = store.rows(), progress(store, 0.0), store.select("SELECT * FROM plan"), store.counts(study)
        claimed = store.select("SELECT * FROM blocks")
    layout_2(path, kind)
    with open_store(path) as store:
        after = store.rows(), progress(store, 0.0), store.select("SELECT * FROM plan"), store.counts(study)
        assert store.select("SELECT * FROM blocks") == claimed
        assert len(claimed) == 1
        assert list(store.columns.all) == list(columns_of(kind, {}).all)
        assert store.select("PRAGMA user_version") == [{"user_version": LAYOUT}]
    assert after == before
    assert [row["#place"] for row in after[2]] == list(range(1, len(study.cells) + 1))
    with Store(path, kind) as store:
        store.begin(study)
        keep(store, study.units[-1], ROW | {"first_success": 3})
        assert sorted(str(row["first_success"]) for row in store.rows()) == ["3", "None"]


def test_a_database_of_layout_3_says_from_now_on_what_it_is_about(path):
    study = fake_study()
    with Store(path) as store:
        store.begin(study)
        keep(store, UNIT, ROW)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE study DROP COLUMN about")
        connection.execute("PRAGMA user_version = 3")
    with open_store(path) as store:
        assert [run["about"] for run in store.runs()] == [None]
        store.begin(study)
        about = "A study that takes milliseconds: a world of one number, and a policy that draws its actions."
        assert [run["about"] for run in store.runs()] == [None, about]
        assert len(store.rows()) == 1


def test_a_file_without_rows_takes_other_columns(path):
    """Case 17: a study that failed at once is mended, and may have other cells and results."""
    with Store(path) as store:
        store.begin(fake_study())
    with Store(path, results={"energy": float}) as store:
        store.begin(block_study(batch=1))
        keep(store, UNIT, ROW | {"energy": 0.5})
    with pytest.raises(ArgumentError, match="has rows with the columns"):
        Store(path)
    with pytest.raises(ArgumentError, match="has rows with 'energy' as REAL, which is INTEGER now; choose another"):
        Store(path, results={"energy": int})
    with open_store(path) as store:
        assert [row["energy"] for row in store.rows()] == [0.5]


def test_an_older_database_of_other_cells_is_refused(tmp_path):
    path = tmp_path / "episodes.sqlite"
    older(path)
    with pytest.raises(ArgumentError, match="has rows with the columns task, method"):
        Store(path, NoisyCell)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)


def test_a_newer_database_is_refused(path):
    with Store(path):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {LAYOUT + 1}")
    with pytest.raises(ArgumentError, match=rf"made by a newer chunkenv \(layout {LAYOUT + 1}, .*\): update"):
        Store(path)


def test_a_study_may_have_results_of_its_own(path):
    results = {"energy": float, "fell": bool, "why": str, "steps": int}
    own = {"energy": 0.5, "fell": True, "why": "slip", "steps": 3}
    with Store(path, results=results) as store:
        keep(store, UNIT, ROW | own)
        keep(store, Unit(UNIT.cell, 1), ROW)
    with open_store(path) as store:
        first, second = store.rows()
    assert {name: first[name] for name in own} == own
    assert first["fell"] is True
    assert {name: second[name] for name in own} == dict.fromkeys(own)
    with pytest.raises(ArgumentError, match=r"decisions.*energy, fell, why, steps; choose another folder"):
        Store(path)


def test_any_study_can_be_opened(path):
    with Store(path, NoisyCell) as store:
        keep(store, Unit(NoisyCell("left", 0.5, 1), 3), ROW)
    with open_store(path) as store:
        assert list(store.columns.keys) == ["task", "noise", "delay"]
        (unit,) = store.done()
        assert (unit.cell.noise, unit.episode) == (0.5, 3)


@pytest.mark.parametrize("columns", ["title TEXT", "title VARCHAR, episode INT", "title TEXT, episode INTEGER"])
def test_what_is_no_study_is_refused_when_any_study_would_do(path, columns):
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE episodes ({columns})")
    with pytest.raises(ArgumentError, match="is a database of something else"):
        open_store(path)


def test_a_study_whose_file_was_edited_is_another(path, monkeypatch):
    with Store(path) as store:
        store.begin(fake_study())
        assert store.runs()[0]["versions"]["study"] == study_code(fake_study())["study"]
        keep(store, UNIT, ROW)
        monkeypatch.setattr("chunkenv.bench.store.study_store.study_code", lambda study: {"study": "0123456789ab"})
        with pytest.raises(ArgumentError, match=r"a study's file of fingerprint '.{12}', which must not"):
            store.begin(fake_study())


def test_the_command_is_noted(path):
    with Store(path) as store:
        for command in ("chunkenv bench run a.py", "chunkenv bench run a.py", "chunkenv bench run a.py --episodes 9"):
            store.begin(fake_study(), command)
        assert [run["command"][23:] for run in store.runs()] == ["", " --episodes 9"]
