"""Lights Out: which buttons to press, and in what order. Pressing one flips it and its neighbours, modulo 2."""

from __future__ import annotations

import functools
import itertools

import numpy as np

Cell = tuple[int, int]


def presses(current: np.ndarray, target: np.ndarray) -> list[list[int]]:
    """All smallest sets of buttons whose presses turn `current` into `target`.

    The order of presses does not matter and pressing twice undoes itself, so a solution is a vector x over GF(2) with
    A x = current + target, A[i, j] = 1 where j flips i (M. Anderson and T. Feil, "Turning lights out with linear
    algebra", Mathematics Magazine 71, 1998). Where A is singular (4x4), all solutions are compared.

    Args:
        current: 0 or 1 for each button, int[rows, columns].
        target: the wanted states, int[rows, columns].

    Returns:
        Indices row * columns + column, ascending, one list for each smallest solution; none if there is no solution.

    >>> presses(np.zeros((2, 3), int), np.array([[1, 1, 0], [1, 0, 0]]))
    [[0]]
    >>> len(presses(np.zeros((4, 4), int), np.ones((4, 4), int)))
    2
    """
    rows, columns = current.shape
    particular, kernel = _solve(rows, columns, (current ^ target).ravel().astype(bool))
    if particular is None:
        return []
    choices = itertools.product((False, True), repeat=len(kernel))
    solutions = [functools.reduce(np.logical_xor, itertools.compress(kernel, chosen), particular) for chosen in choices]
    fewest = min(solution.sum() for solution in solutions)
    return sorted(np.flatnonzero(solution).tolist() for solution in solutions if solution.sum() == fewest)


def press(current: np.ndarray, buttons: np.ndarray) -> np.ndarray:
    """The board after these buttons were pressed, once each, int[rows, columns].

    >>> press(np.zeros((2, 3), int), np.array([0])).tolist()
    [[1, 1, 0], [1, 0, 0]]
    """
    flips = _flips(*current.shape)[:, buttons].sum(axis=1) % 2
    return current ^ flips.reshape(current.shape)


@functools.lru_cache(maxsize=4096)
def next_press(needed: bytes, columns: int, start: int) -> int | None:
    """The first button of the shortest way, from button `start`, that visits a smallest set of presses.

    Args:
        needed: a byte for each button, 1 where current and target differ.
        columns: of the board.
        start: the button where the gripper is.

    Returns:
        The button's index; None if nothing is left to press, or no presses lead to the target.
    """
    board = np.frombuffer(needed, np.uint8).reshape(-1, columns).astype(int)
    sets = presses(np.zeros_like(board), board)
    if not (board.any() and sets):
        return None
    tours = [_tour([divmod(button, columns) for button in chosen], divmod(start, columns)) for chosen in sets]
    row, column = min(tours, key=lambda tour: _length(divmod(start, columns), tour))[0]
    return row * columns + column


@functools.lru_cache
def _eliminate(rows: int, columns: int) -> tuple[np.ndarray, list[int]]:
    """[A | I] of a board in reduced echelon form, bool[n, 2 n], and the pivot column of each leading row."""
    n = rows * columns
    matrix = np.concatenate([_flips(rows, columns), np.eye(n, dtype=bool)], axis=1)
    pivots: list[int] = []
    for column in range(n):
        below = len(pivots) + np.flatnonzero(matrix[len(pivots) :, column])
        if len(below):
            row = len(pivots)
            matrix[[row, below[0]]] = matrix[[below[0], row]]
            others = matrix[:, column] & (np.arange(n) != row)
            matrix[others] ^= matrix[row]
            pivots.append(column)
    return matrix, pivots


def _flips(rows: int, columns: int) -> np.ndarray:
    """A: which button flips which, bool[n, n]."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.abs(row[:, None] - row) + np.abs(column[:, None] - column) <= 1


def _solve(rows: int, columns: int, needed: np.ndarray) -> tuple[np.ndarray | None, list[np.ndarray]]:
    """One solution of A x = needed (None if there is none), and a basis of A's kernel."""
    matrix, pivots = _eliminate(rows, columns)
    n, rank = rows * columns, len(pivots)
    reduced = (matrix[:, n:].astype(int) @ needed) % 2
    if reduced[rank:].any():
        return None, []
    solution = np.zeros(n, bool)
    solution[pivots] = reduced[:rank]
    kernel = []
    for free in sorted(set(range(n)) - set(pivots)):
        vector = np.zeros(n, bool)
        vector[free], vector[pivots] = True, matrix[:rank, free]
        kernel.append(vector)
    return solution, kernel


def _tour(cells: list[Cell], start: Cell) -> list[Cell]:
    """A short way from `start` through all cells: the nearest next one, mended by reversing stretches (2-opt)."""
    tour, left = [], list(cells)
    while left:
        here = tour[-1] if tour else start
        tour.append(min(left, key=lambda cell: _distance(here, cell)))
        left.remove(tour[-1])
    return _improve(tour, start)


def _improve(tour: list[Cell], start: Cell) -> list[Cell]:
    for first, last in itertools.combinations(range(len(tour) + 1), 2):
        reversed_there = tour[:first] + tour[first:last][::-1] + tour[last:]
        if _length(start, reversed_there) < _length(start, tour) - 1e-9:
            return _improve(reversed_there, start)
    return tour


def _length(start: Cell, tour: list[Cell]) -> float:
    return sum(_distance(here, there) for here, there in itertools.pairwise([start, *tour]))


def _distance(here: Cell, there: Cell) -> float:
    return ((here[0] - there[0]) ** 2 + (here[1] - there[1]) ** 2) ** 0.5
