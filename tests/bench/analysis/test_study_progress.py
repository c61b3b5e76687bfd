import pytest
from fake_study import block_study, cells

from chunkenv.bench.analysis.study_progress import progress
from chunkenv.bench.store.study_store import Store


@pytest.fixture
def study():
    return block_study(episodes=10, batch=4)


@pytest.fixture
def clock(monkeypatch):
    """What time it is, for the ledger."""
    now = [1000.0]
    monkeypatch.setattr("chunkenv.bench.store.block_claims.time.time", lambda: now[0])
    return now


@pytest.fixture
def store(tmp_path, study):
    with Store(tmp_path / "episodes.sqlite", study.cell, study.results) as store:
        store.begin(study)
        yield store


def play(store, study, blocks):
    for block in blocks:
        store.keep(block, study.play(block.cell, block.episodes, study.seed))


def test_nothing_is_done_yet(store):
    done = progress(store)
    assert (done.planned, done.kept, done.under_way) == (80, 0, 0)
    assert (done.rate, done.left, done.oldest_claim, done.last_row) == (None, None, None, None)
    assert done.tasks == {"left": (0, 40), "right": (0, 40)}


def test_done_and_under_way(store, study, clock):
    first, second, third, *_ = study.blocks
    for block in (first, second, third):
        store.claim(block)
    clock[0] = 1010.0
    play(store, study, [first, second])
    done = progress(store, now=1013.0)
    assert (done.kept, done.under_way) == (8, 4)
    assert (done.oldest_claim, done.last_row) == (13.0, 3.0)
    assert done.rate == pytest.approx(0.8)
    assert done.left == pytest.approx(72 / 0.8)
    assert done.seconds == pytest.approx(20)


def test_cells_that_cost_more_take_longer(tmp_path, clock):
    study = block_study(cost=lambda cell: 3.0 if cell.delay else 1.0, batch=10)
    with Store(tmp_path / "costs.sqlite", study.cell, study.results) as store:
        store.begin(study)
        slow = study.blocks[0]
        store.claim(slow)
        clock[0] += 30
        play(store, study, [slow])
        assert slow.cell.delay == 1
        assert progress(store).left == pytest.approx(3 * 30 + 4 * 10)


def test_the_rate_is_that_of_the_last_run(store, study, clock, tmp_path):
    store.claim(study.blocks[0])
    clock[0] += 100
    play(store, study, study.blocks[:1])
    with Store(store.path, study.cell, study.results) as later:
        later.claim(study.blocks[1])
        clock[0] += 2
        play(later, study, study.blocks[1:2])
        assert progress(later).rate == pytest.approx(2.0)


def test_what_the_last_run_wants_is_the_plan(store, study):
    play(store, study, study.blocks)
    store.begin(block_study(episodes=5, cells=cells()[:2]))
    assert (progress(store).planned, progress(store).kept) == (10, 10)
    store.begin(block_study(episodes=12, cells=cells(delays=(0, 3))))
    assert (progress(store).planned, progress(store).kept) == (96, 40)
