import pytest
from fake_study import block_study, cells, fake_study

from chunkenv.bench.analysis.study_progress import progress
from chunkenv.bench.store.merging import merge
from chunkenv.bench.store.study_store import Store
from chunkenv.errors import ArgumentError


def written(path, study, **changes):
    with Store(path, study.cell, study.results) as store:
        store.begin(study, changes.pop("command", ""))
        for block in study.blocks:
            rows = study.play(block.cell, block.episodes, study.seed)
            store.keep(block, [row | changes for row in rows])
    return path


def rows_in(path, study):
    with Store(path, study.cell, study.results) as store:
        return store.rows()


def test_parts_are_the_whole(tmp_path):
    whole = written(tmp_path / "whole.sqlite", block_study())
    parts = [
        written(tmp_path / f"{number}.sqlite", block_study(cells=cells()[number::2]), command=f"part {number}")
        for number in (0, 1)
    ]
    assert merge(parts, tmp_path / "new" / "both.sqlite") == 80
    assert rows_in(tmp_path / "new" / "both.sqlite", block_study()) == rows_in(whole, block_study())
    with Store(tmp_path / "new" / "both.sqlite", block_study().cell, {"energy": float}) as store:
        assert [run["command"] for run in store.runs()] == ["part 0", "part 1"]
        assert (progress(store).planned, progress(store).kept, progress(store).under_way) == (80, 80, 0)
        store.begin(block_study(episodes=11))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["both.sqlite"]


def test_rows_that_are_in_both_are_there_once(tmp_path, monkeypatch):
    monkeypatch.setattr("chunkenv.bench.store.study_store.now", lambda: "2026-01-01T00:00:00+00:00")
    few, many = written(tmp_path / "few.sqlite", block_study(3)), written(tmp_path / "many.sqlite", block_study(5))
    assert merge([few, many], tmp_path / "both.sqlite") == 40
    assert rows_in(tmp_path / "both.sqlite", block_study()) == rows_in(many, block_study())
    with Store(tmp_path / "both.sqlite", block_study().cell, {"energy": float}) as store:
        assert len(store.runs()) == 1
        assert progress(store).planned == 40


def test_three_parts(tmp_path):
    parts = [written(tmp_path / f"{n}.sqlite", block_study(cells=cells()[n : n + 1])) for n in range(3)]
    assert merge(parts, tmp_path / "all.sqlite") == 30


@pytest.mark.parametrize("changes", [{"return": 9.0}, {"success": None}, {"jerk": 3.0}, {"energy": None}])
def test_other_rows_of_the_same_episode_are_refused(tmp_path, changes):
    paths = [written(tmp_path / "a.sqlite", block_study()), written(tmp_path / "b.sqlite", block_study(), **changes)]
    name = next(iter(changes))
    sentence = (
        rf"b.sqlite has another row than .*a.sqlite of task left, .* episode \d+: {name} is {changes[name]!r} there"
    )
    with pytest.raises(ArgumentError, match=sentence):
        merge(paths, tmp_path / "both.sqlite")
    assert not (tmp_path / "both.sqlite").exists()


OTHERS = {
    "another seed": (lambda: block_study(seed=1), "seed is 1 there, 0 here"),
    "other settings": (lambda: block_study(settings={"noise": 1}), "the settings is {'noise': 1} there, {} here"),
    "other columns": (lambda: block_study(results={"energy": float, "heat": float}), "columns is"),
    "another study": (lambda: fake_study(), "the study is 'fake' there, 'blocks' here"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_studies_are_refused(tmp_path, case):
    make, sentence = OTHERS[case]
    first = written(tmp_path / "a.sqlite", block_study())
    with Store(tmp_path / "b.sqlite", make().cell, make().results) as store:
        store.begin(make())
    with pytest.raises(ArgumentError, match=f"b.sqlite cannot be merged with .*a.sqlite: {sentence}"):
        merge([first, tmp_path / "b.sqlite"], tmp_path / "both.sqlite")
    assert not (tmp_path / "both.sqlite").exists()


def test_there_must_be_two(tmp_path):
    with pytest.raises(ArgumentError, match="give at least two"):
        merge([written(tmp_path / "a.sqlite", block_study())], tmp_path / "b.sqlite")


def test_what_is_there_is_not_overwritten(tmp_path):
    paths = [written(tmp_path / f"{name}.sqlite", block_study()) for name in "ab"]
    with pytest.raises(ArgumentError, match=r"a.sqlite is there already"):
        merge(paths, paths[0])


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(ArgumentError, match=r"has no b.sqlite; give the folder that a study wrote"):
        merge([written(tmp_path / "a.sqlite", block_study()), tmp_path / "b.sqlite"], tmp_path / "c.sqlite")
    assert not (tmp_path / "c.sqlite").exists()


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "b.sqlite").write_text("no database, " * 100)
    with pytest.raises(ArgumentError, match="file is not a database"):
        merge([written(tmp_path / "a.sqlite", block_study()), tmp_path / "b.sqlite"], tmp_path / "c.sqlite")


def test_a_database_without_runs(tmp_path):
    with Store(tmp_path / "b.sqlite", block_study().cell, {"energy": float}):
        pass
    with pytest.raises(ArgumentError, match="holds no episodes yet; leave it out"):
        merge([written(tmp_path / "a.sqlite", block_study()), tmp_path / "b.sqlite"], tmp_path / "c.sqlite")
