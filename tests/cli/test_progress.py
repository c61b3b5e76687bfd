import io
from pathlib import Path

import pytest
from rich.console import Console

from chunkenv.cli.progress import progress_bar, watch_training


def console(terminal):
    return Console(file=io.StringIO(), force_terminal=terminal, width=120, highlight=False)


def watch(shown, done=0):
    metrics = [{"steps": 5}, {"steps": 10, "loss": 0.5}, {"steps": 25, "loss": 0.25}]
    watch_training(
        shown,
        metrics,
        title="mine",
        total=20,
        done=done,
        unit="updates",
        describe=lambda one: f"loss {one['loss']:.1f}" if "loss" in one else "",
        report=lambda one: f"{one['steps']}: {one['loss']}" if "loss" in one else "",
        kept=Path("none"),
    )
    return shown.file.getvalue()


def test_a_training_is_a_bar_on_a_terminal_and_lines_elsewhere():
    text = watch(console(terminal=True))
    assert "loss 0.2  20 of 20 updates" in text
    assert "10: 0.5" not in text
    assert watch(console(terminal=False)) == "10: 0.5\n25: 0.25\n"


@pytest.mark.parametrize("terminal_only", [True, False])
def test_what_is_no_terminal_gets_the_last_state_or_nothing(terminal_only):
    shown = console(terminal=False)
    with progress_bar(shown, "0 of 2 [episodes]", 2, terminal_only=terminal_only) as move:
        move(1, "1 of 2 [episodes]")
        move(3, "2 of 2 [episodes]")
    lines = shown.file.getvalue().split("\n")
    assert len([line for line in lines if line]) == (0 if terminal_only else 1)
    assert terminal_only or lines[0].startswith("2 of 2 [episodes] ━")
