"""Every numeric option of every command refuses what is no number, and what is absurdly large, in one sentence."""

from typing import get_args, get_type_hints

from typer.main import get_command

from chunkenv.cli import bench, data, train
from chunkenv.cli.app import app
from tests.cli.calling import invoke
from tests.cli.test_interrupts import STUDY

HUGE = "9" * 30
LISTS = {"--delays", "--horizons", "--slowdowns", "--hidden"}
"""Options that are read as lists, each by its command."""


def numeric_options(group=None, path=()):
    """The path of each command, its arguments, and each option that takes a number."""
    group = group or get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from numeric_options(command, (*path, name))
            continue
        needed = sum(param.required for param in command.params if param.param_type_name == "argument")
        for param in command.params:
            if param.param_type_name == "option" and (param.metavar in ("N", "X") or set(param.opts) & LISTS):
                yield (*path, name), needed, max(param.opts, key=len)


def test_no_number_is_read_without_bounds():
    numbers = [
        (name, hint.__metadata__[0])
        for group in (app, bench.app, data.app, train.app)
        for command in group.registered_commands
        for name, hint in get_type_hints(command.callback, include_extras=True).items()
        if hasattr(hint, "__metadata__") and {int, float} & {hint.__origin__, *get_args(hint.__origin__)}
    ]
    assert len(numbers) > 40
    assert [name for name, option in numbers if option.parser is None] == []


def test_no_number_and_huge_numbers_are_one_sentence(tmp_path):
    (tmp_path / "study.py").write_text(STUDY)
    options = list(numeric_options())
    assert len(options) > 45
    for path, needed, option in options:
        for value in ["abc", "nan", "inf", "", HUGE]:
            if option in LISTS and value == "":
                continue
            words = [*path, *[str(tmp_path / "study.py")] * needed, option, value]
            if path == ("train", "flow"):
                words += ["--data", str(tmp_path)]
            result = invoke(*words)
            assert isinstance(result.exception, SystemExit), (words, result.exception)
            assert result.exit_code == 2, words
            assert option in LISTS or f"'{option}'" in result.stderr, words
