import dataclasses
import enum

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from chunkenv.bench.store.columns import columns_of
from chunkenv.bench.store.declared_values import hold_cell, hold_row, hold_settings
from chunkenv.bench.study import Cell
from chunkenv.errors import ArgumentError

COLUMNS = columns_of(Cell, {"hits": int, "energy": float, "fell": bool, "why": str}).all


class Why(enum.StrEnum):
    SLIP = "slip"


HELD = {
    "numpy's truth": ("success", np.bool_(True), True),
    "an array around a truth": ("success", np.array(False), False),
    "jax's truth": ("success", jnp.array(True), True),
    "torch's truth": ("success", torch.tensor(True), True),
    "success as a number": ("success", 1.0, True),
    "success not known": ("success", float("nan"), None),
    "numpy's whole number": ("hits", np.int64(3), 3),
    "jax's whole number": ("ticks", jnp.int32(3), 3),
    "a whole number that was averaged": ("hits", np.float32(3), 3),
    "jax's number": ("return", jnp.float32(2.5), 2.5),
    "a number that needs no gradient here": ("energy", torch.tensor(2.5, requires_grad=True), 2.5),
    "a bfloat16": ("energy", jnp.bfloat16(2.5), 2.5),
    "a whole number as a real one": ("return", 2, 2.0),
    "not measured": ("energy", np.float32("nan"), None),
    "endless": ("energy", np.inf, np.inf),
    "numpy's text": ("why", np.str_("slip"), "slip"),
    "a name": ("why", Why.SLIP, "slip"),
}


@pytest.mark.parametrize("case", HELD)
def test_numbers_of_any_library_become_pythons(case):
    name, value, expected = HELD[case]
    held = hold_row({name: value}, COLUMNS)[name]
    assert held == expected
    assert type(held) is type(expected)


REFUSED = {
    "an array": ("success", np.array([True]), r"success=array\(\[ True\]\), .* give True or False, or None where"),
    "an array for a number": ("return", np.zeros(3), "the column 'return' does not take; give a number"),
    "a dict": ("return", {"sum": 1.0}, "return={'sum': 1.0}"),
    "no return": ("return", float("nan"), r"return=nan, which .*; give a number\.$"),
    "no ticks": ("ticks", None, r"ticks=None, which .*; give a whole number .* in size\.$"),
    "a text for a number": ("energy", "high", "energy='high'"),
    "a number for a text": ("why", 5, "why=5"),
    "a fraction": ("hits", 0.5, "hits=0.5"),
    "a huge number": ("hits", 2**70, r"hits=1180591620717411303424, .* below 2\*\*63"),
    "a huge real number": ("energy", 10**400, "energy=1000"),
    "half a truth": ("fell", 0.5, "fell=0.5"),
    "half a letter": ("why", "\ud800", "give a text of whole characters"),
    "a complex number": ("energy", 1j, "energy=1j"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_column_does_not_take_is_refused_by_its_name(case):
    name, value, sentence = REFUSED[case]
    with pytest.raises(ArgumentError, match=sentence):
        hold_row({name: value}, COLUMNS)


def test_numbers_of_cells_become_pythons():
    cell = Cell(np.str_("left"), "bold", np.int64(3), jnp.int32(2), 8)
    assert [type(value) for value in vars(cell).values()] == [str, str, int, int, int]
    assert cell == Cell("left", "bold", 3, 2, 8)
    assert hash(cell) == hash(Cell("left", "bold", 3, 2, 8))


@dataclasses.dataclass(frozen=True)
class Noisy:
    noise: float


CELLS = {
    "a fraction": (lambda: Cell("left", "bold", 0.5, 2, 4), "Cell has delay=0.5, which was declared int; give a whole"),
    "a whole number that is a real one": (lambda: Cell("left", "bold", 1.0, 2, 4), "delay=1.0"),
    "a truth": (lambda: Cell("left", "bold", True, 2, 4), "delay=True"),
    "a number for a text": (lambda: Cell(1, "bold", 0, 2, 4), "task=1, which was declared str; give a text"),
    "none": (lambda: Cell("left", None, 0, 2, 4), "method=None"),
    "a huge number": (lambda: Cell("left", "bold", 2**70, 2, 4), "delay=1180591620717411303424"),
    "an array": (lambda: Cell("left", "bold", np.arange(3), 2, 4), "delay=array"),
    "NaN": (lambda: hold_cell(Noisy(float("nan"))), "Noisy has noise=nan, which was declared float; give a number"),
    "a text for a number": (lambda: hold_cell(Noisy("0.1")), "noise='0.1'"),
}


@pytest.mark.parametrize("case", CELLS)
def test_cells_are_held_to_their_types(case):
    make, sentence = CELLS[case]
    with pytest.raises(ArgumentError, match=sentence):
        make()


def test_settings_are_plain_data():
    settings = {"lr": np.float32(0.5), "sizes": (1, 2), "noise": np.array([0.25, 0.5]), "deep": {"on": np.bool_(True)}}
    assert hold_settings(settings) == {"lr": 0.5, "sizes": [1, 2], "noise": [0.25, 0.5], "deep": {"on": True}}


@pytest.mark.parametrize("value", [{1, 2}, object(), {(1, 2): 3}, 1j, float("nan"), [1.0, np.float32("nan")]])
def test_other_settings_are_refused_by_their_name(value):
    with pytest.raises(ArgumentError, match=r"settings\['odd'\]=.*; give "):
        hold_settings({"fine": 1, "odd": value})
