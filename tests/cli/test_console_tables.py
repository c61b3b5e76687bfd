import io
from collections import Counter

import pytest
from rich import box
from rich.console import Console
from rich.table import Column, Table

from chunkenv.cli.console_tables import print_table

WORD = "chunkenv/manip-cube-quadruple-task1-v0"


def letters(text):
    return Counter(character for character in text if character.isalnum())


def shown(width, *columns, style=None):
    table = Table(*columns, title="A title of several words", caption="A note.", box=style, padding=(0, 1, 0, 0))
    table.add_row(WORD, "some words that wrap", "[bold]7[/]")
    table.add_row("second", "", "8")
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_table(console, table)
    return console.file.getvalue()


@pytest.mark.parametrize("style", [None, box.SQUARE])
@pytest.mark.parametrize("width", range(1, 100))
def test_nothing_is_cut_at_any_width(width, style):
    columns = ["id", Column("words", justify="right"), Column("number", overflow="fold")]
    output = shown(width, *columns, style=style)
    assert max(map(len, output.splitlines())) <= width
    everything = letters(WORD + "some words that wrap" + "7" + "second" + "8" + "A title of several words" + "A note.")
    assert not everything - letters(output)


def test_columns_wrap_at_words_while_these_fit():
    lines = shown(60, "id", "words", "n").splitlines()
    assert [line.rstrip() for line in lines] == [
        "                  A title of several words",
        "id                                     words              n",
        f"{WORD} some words that    7",
        "                                       wrap",
        "second                                                    8",
        "                          A note.",
    ]


def test_rows_become_lines_where_columns_do_not_fit():
    lines = [line.rstrip() for line in shown(40, "id", "words", "").splitlines()]
    assert lines == [
        "A title of several words",
        *("id", WORD, "words  some words that wrap", "7", ""),
        *("id  second", "8", ""),
        "A note.",
    ]


def test_a_heading_is_broken_only_where_it_may_be():
    output = shown(48, "id", Column("words-that-break", overflow="fold"), "n")
    assert "words-that" not in output
    assert WORD in output
    assert "words-that-break  some" in shown(48, "id", "words-that-break", "n")
