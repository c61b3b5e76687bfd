"""Blocks of episodes: how a study's own `play` is called, what it may return, how claims and rows go together."""

import pickle
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from fake_study import block_study, cells, fake_study, make_env, make_policy, play

from chunkenv.bench.analysis.groups import overall
from chunkenv.bench.run.block_player import BlockPlayer, Failure, pack_study, play_block
from chunkenv.bench.run.block_queue import DEATHS, BlockQueue, claim_blocks, missing_blocks
from chunkenv.bench.run.runner import StudyError, run_study
from chunkenv.bench.store.block_claims import DONE, OURS, THEIRS
from chunkenv.bench.store.exporting import export
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.study import Block
from chunkenv.errors import ArgumentError


def open_at(path, study=None):
    study = study or block_study()
    return Store(path, study.cell, study.results)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "episodes.sqlite"


def rows_of(path, study, workers=1):
    with open_at(path, study) as store:
        list(run_study(study, store, workers))
        return store.rows()


def test_blocks_are_aligned_and_cut_at_the_end():
    blocks = [block for block in block_study(episodes=10, batch=4).blocks if block.cell == cells()[0]]
    assert [block.episodes for block in blocks] == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9)]


def test_a_round_of_blocks_covers_all_cells_before_the_next():
    starts = [block.episodes[0] for block in block_study(episodes=10, batch=4).blocks]
    assert starts == sorted(starts)


def test_a_block_says_what_it_is():
    study = block_study(batch=4, episodes=5)
    assert str(study.blocks[0]).endswith("of 4, episodes 0 to 3")
    assert str(study.blocks[-1]).endswith("of 4, episode 4")


@pytest.mark.parametrize("batch", [0, -1, 1.5])
def test_a_batch_is_a_count(batch):
    with pytest.raises(ArgumentError, match=f"batch={batch}"):
        block_study(batch=batch)


@pytest.mark.parametrize("left_out", ["make_env", "make_policy"])
def test_a_study_must_be_playable(left_out):
    with pytest.raises(ArgumentError, match="cannot be played; give make_env and make_policy, or play"):
        replace(fake_study(), **{left_out: None})


def expected(study):
    return [
        {**vars(unit.cell), "episode": unit.episode, **study.play(unit.cell, [unit.episode], study.seed)[0]}
        for unit in sorted(study.units, key=lambda unit: (*vars(unit.cell).values(), unit.episode))
    ]


@pytest.mark.parametrize(("batch", "workers"), [(1, 1), (4, 2), (100, 2)])
def test_rows_depend_on_neither_blocks_nor_workers(path, batch, workers):
    study = block_study(batch=batch)
    rows = rows_of(path, study, workers)
    assert [
        {name: row[name] for name in wanted} for row, wanted in zip(rows, expected(study), strict=True)
    ] == expected(study)


def play_in_env(cell, episodes, seed):
    one = fake_study(cells=(cell,), seed=seed)
    return [play_block(one, Block(cell, (episode,)))[0] for episode in episodes]


def test_blocks_of_environments_have_the_rows_of_single_ones(tmp_path):
    single = fake_study(episodes=3)
    blocks = replace(single, play=play_in_env, batch=2)
    assert rows_of(tmp_path / "a.sqlite", single) == rows_of(tmp_path / "b.sqlite", blocks, workers=2)


def test_a_block_that_is_there_in_part_is_played_whole_and_keeps_its_rows(path):
    with open_at(path) as store:
        list(run_study(block_study(episodes=6), store, 1))
        before = store.rows()
        later = list(run_study(block_study(episodes=8), store, 1))
        assert {unit.episode for unit in later} == {4, 5, 6, 7}
        assert [row for row in store.rows() if row["episode"] < 6] == before
        assert len(store.rows()) == 8 * 8


def test_numbers_of_numpy_are_kept():
    def numpy_play(cell, episodes, seed):
        rows = play(cell, episodes, seed)
        return [row | {"return": np.float32(0.5), "ticks": np.int64(3), "success": np.True_} for row in rows]

    (row,) = play_block(block_study(play=numpy_play), Block(cells()[0], (0,)))
    assert (row["return"], row["ticks"], row["success"]) == (0.5, 3, True)
    assert [type(row[name]) for name in ("return", "ticks", "success")] == [float, int, bool]


def test_arrays_around_numbers_are_kept_as_numbers(path):
    """Case 2: the report said 0 % solved, and the export ended in a traceback."""

    def jax_play(cell, episodes, seed):
        rows = play(cell, episodes, seed)
        return [row | {"success": np.array(True), "return": jnp.float32(2.5), "energy": np.float32(1)} for row in rows]

    study = block_study(play=jax_play, cells=cells()[:1], batch=10)
    with open_at(path) as store:
        store.keep(study.blocks[0], play_block(study, study.blocks[0]))
        assert {(row["success"], row["return"], row["energy"]) for row in store.rows()} == {(True, 2.5, 1.0)}
        assert overall(store).groups[0].score.estimate == 1
        assert export(store, path.parent)[0].read_text().count("true") == 10


WRONG = {
    "an array": (lambda rows: [row | {"return": np.zeros(2)} for row in rows], "'return' does not take; give a number"),
    "no dict": (lambda rows: [list(row) for row in rows], r"returned \['seed', .* as a row; a row is a dict"),
    "a number as a name": (lambda rows: [row | {5: 1} for row in rows], "a row with 5, which is no column"),
    "no list": (lambda rows: None, "returned NoneType for 2 episodes"),
    "a row too few": (lambda rows: rows[:1], "returned 1 for 2 episodes"),
    "a row without ticks": (lambda rows: [{k: v for k, v in row.items() if k != "ticks"} for row in rows], "'ticks'"),
    "an unknown result": (lambda rows: [row | {"heat": 1} for row in rows], "'heat', which is no column"),
    "rows out of order": (lambda rows: rows[::-1], "rows come in the order of the episodes"),
    "a field of the cell": (lambda rows: [row | {"task": "x"} for row in rows], "'task', which is no column"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_play_must_not_return(case):
    spoil, sentence = WRONG[case]
    study = block_study(play=lambda *arguments: spoil(play(*arguments)))
    with pytest.raises(ArgumentError, match=sentence):
        play_block(study, Block(cells()[0], (0, 1)))


def play_too_little(cell, episodes, seed):
    return play(cell, episodes, seed)[1:]


def test_a_block_that_fails_is_named(path):
    study = block_study(play=play_too_little)
    with open_at(path) as store:
        with pytest.raises(StudyError, match=r"of 4, episodes 0 to 3 failed: play returned 3 for 4 episodes"):
            list(run_study(study, store, 1))
        assert store.select("SELECT * FROM blocks") == []


def test_a_study_that_cannot_be_sent_is_refused(path):
    with open_at(path) as store, pytest.raises(ArgumentError, match="'blocks' cannot be sent to workers"):
        list(run_study(block_study(play=lambda *_: []), store, 1))


def test_what_goes_wrong_while_unpacking_is_answered():
    packed = pack_study(block_study(), lambda _: pickle.dumps(block_study()).replace(b"fake_study", b"lost_study"))
    failure = BlockPlayer(packed).answer(block_study().blocks[0])
    assert isinstance(failure, Failure)
    assert failure.sentence == "ModuleNotFoundError: No module named 'lost_study'"


def test_a_claim_is_ours_theirs_or_done(path):
    block, other, *_ = block_study().blocks
    with open_at(path) as first, open_at(path) as second:
        assert first.claim(block) == OURS
        assert (first.claim(block), second.claim(block), second.claim(other)) == (OURS, THEIRS, OURS)
        assert second.claim(block, also_others=True) == OURS
        second.keep(block, play(*block, 0))
        assert (first.claim(block), second.claim(block)) == (DONE, DONE)
        first.release()
        second.release()
        assert [row["#finished"] is None for row in first.select('SELECT "#finished" FROM blocks')] == [False]


def test_claims_of_smaller_blocks_end_with_the_block_around_them(path):
    small, large = block_study(batch=1), block_study(batch=4)
    with open_at(path) as store:
        for block in small.blocks:
            store.claim(block)
        for block in large.blocks:
            store.claim(block, also_others=True)
            store.keep(block, play(*block, 0))
        assert store.select('SELECT * FROM blocks WHERE "#finished" IS NULL') == []


def test_what_others_have_claimed_comes_last(path):
    blocks = block_study().blocks
    with open_at(path) as dead, open_at(path) as store:
        dead.claim(blocks[0])
        dead.claim(blocks[2])
        order = list(claim_blocks(store, blocks))
    assert order == [block for block in blocks if block not in (blocks[0], blocks[2])] + [blocks[0], blocks[2]]


def test_a_worker_stays_with_its_task(path):
    """What it has compiled for a task serves the next block, too; two workers begin with two tasks."""
    blocks = block_study().blocks
    with open_at(path) as store:
        queue = BlockQueue(store, blocks)
        left = queue.next()
        others = [block for block in blocks if block.cell.task != left.cell.task and block.episodes == left.episodes]
        right = queue.next(others[0])
        assert right.cell.task != left.cell.task
        played = {left.cell.task: [left], right.cell.task: [right]}
        for task in [left.cell.task, right.cell.task] * (len(others) - 1):
            played[task].append(queue.next(played[task][-1]))
        handed = [block for own in played.values() for block in own]
        assert all(block.cell.task == task for task, own in played.items() for block in own)
        assert set(handed) == {block for block in blocks if block.episodes == left.episodes}
        rest = iter(queue.next, None)
        assert set(handed) | set(rest) == set(blocks)


def test_what_others_finish_meanwhile_is_not_played(path):
    blocks = block_study().blocks
    with open_at(path) as other, open_at(path) as store:
        other.claim(blocks[0])
        waiting = claim_blocks(store, blocks)
        assert next(waiting) == blocks[1]
        for block in (blocks[0], blocks[2]):
            other.keep(block, play(*block, 0))
        assert set(waiting) == set(blocks[3:])


def test_a_block_is_kept_whole_or_not_at_all(path):
    block = block_study().blocks[0]
    rows = play(*block, 0)
    with open_at(path) as store:
        store.claim(block)
        with pytest.raises(ArgumentError, match="NOT NULL"):
            store.keep(block, [*rows[:-1], rows[-1] | {"ticks": None}])
        assert store.rows() == []
        assert missing_blocks(block_study(), store) == block_study().blocks
        assert store.select('SELECT "#finished" FROM blocks') == [{"#finished": None}]


def test_a_block_over_which_workers_die_is_given_up(path):
    with open_at(path) as store:
        queue = BlockQueue(store, block_study().blocks)
        block = queue.next()
        for _ in range(DEATHS - 1):
            queue.take_back(block, "was killed by SIGKILL")
            assert queue.next() == block
        with pytest.raises(StudyError, match=f"was killed by SIGKILL, {DEATHS} times; if memory was short"):
            queue.take_back(block, "was killed by SIGKILL")


def test_deaths_over_other_blocks_do_not_add_up(path):
    with open_at(path) as store:
        queue = BlockQueue(store, block_study().blocks)
        for _ in range(5 * DEATHS):
            block = queue.next()
            queue.take_back(block, "was killed")
            assert queue.next() == block


def test_policies_may_be_given_beside_play_to_compile_early():
    study = block_study(make_env=make_env, make_policy=make_policy)
    assert study.play is play
