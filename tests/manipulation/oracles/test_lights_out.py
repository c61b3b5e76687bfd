"""Lights Out: presses lead to the target, are the fewest, and are taken on a short way."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.manipulation.oracles.lights_out import next_press, presses

SIZES = [(3, 3), (4, 4), (4, 5), (4, 6)]


def pressed(board, buttons):
    """The board after some presses, flipped cell by cell."""
    board = board.copy()
    for button in buttons:
        row, column = divmod(button, board.shape[1])
        for r, c in [(row, column), (row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]:
            if 0 <= r < board.shape[0] and 0 <= c < board.shape[1]:
                board[r, c] ^= 1
    return board


@st.composite
def boards(draw, sizes=SIZES):
    """A board, and presses that lead it somewhere."""
    rows, columns = draw(st.sampled_from(sizes))
    cells = rows * columns
    board = np.array(draw(st.lists(st.integers(0, 1), min_size=cells, max_size=cells))).reshape(rows, columns)
    return board, draw(st.lists(st.integers(0, cells - 1), max_size=12))


@settings(deadline=None)
@given(boards())
def test_every_solution_leads_to_the_target_and_none_takes_more_presses_than_were_made(case):
    board, made = case
    target = pressed(board, made)
    solutions = presses(board, target)
    assert solutions
    for solution in solutions:
        np.testing.assert_array_equal(pressed(board, solution), target)
        assert len(solution) == len(solutions[0]) <= len(made)


@pytest.mark.parametrize("size", [(2, 2), (2, 3), (3, 3), (1, 5)])
def test_no_smaller_set_of_presses_does_it(size):
    cells = size[0] * size[1]
    board, target = np.zeros(size, int), np.random.default_rng(0).integers(0, 2, size)
    everything = itertools.chain.from_iterable(itertools.combinations(range(cells), n) for n in range(cells + 1))
    ways = [list(chosen) for chosen in everything if np.array_equal(pressed(board, chosen), target)]
    fewest = [way for way in ways if len(way) == len(ways[0])] if ways else []
    assert presses(board, target) == sorted(fewest)


def test_what_no_presses_can_reach_has_no_solution():
    corner = np.zeros((4, 4), int)
    corner[0, 0] = 1
    assert presses(np.zeros_like(corner), corner) == []
    assert next_press(corner.astype(np.uint8).tobytes(), 4, start=0) is None


@settings(deadline=None)
@given(boards(), st.integers(0, 8))
def test_pressing_the_next_one_again_and_again_takes_the_fewest_presses(case, start):
    board, made = case
    needed, count = pressed(np.zeros_like(board), made), 0
    fewest = len(presses(np.zeros_like(needed), needed)[0])
    while (button := next_press(needed.astype(np.uint8).tobytes(), board.shape[1], start)) is not None:
        needed, start, count = pressed(needed, [button]), button, count + 1
    assert count == fewest
    assert not needed.any()


@pytest.mark.parametrize(("start", "first"), [(0, 0), (5, 5)])
def test_the_way_begins_at_the_end_that_is_nearer(start, first):
    needed = pressed(np.zeros((1, 6), int), [0, 5])
    assert next_press(needed.astype(np.uint8).tobytes(), 6, start) == first


def test_nothing_needed_is_nothing_pressed():
    assert next_press(bytes(9), 3, start=4) is None
