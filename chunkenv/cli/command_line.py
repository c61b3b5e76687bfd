"""What several commands share: how the text of options is read, and how a command is written down."""

from __future__ import annotations

import math
import re
import shlex
from typing import Annotated, Any, TypeAlias

import typer

from chunkenv.errors import ArgumentError, brief
from chunkenv.registration import OURS

LONGEST = 1000
"""Of chunks and delays, in ticks."""
MOST_EPISODES = 100_000
MOST_WORKERS = 1024
LARGEST_SEED = 2**63 - 1
"""What a database holds."""
LARGEST = 10**9
WIDEST, DEEPEST = 16_384, 64  # hidden layers


def whole(*names: str, help: str, default: str | None = None, at_most: int = LARGEST) -> Any:
    """An option that is a whole number; what is none, or absurdly large, is refused in one sentence.

    Args:
        *names: of the option, if they are not those of the parameter.
        help: what it is.
        default: shown instead of the parameter's.
        at_most: the largest number that is allowed; the smallest is known to what takes it.
    """

    def whole_number(text: Any) -> int:
        try:
            number = int(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not a whole number.") from None
        if number > at_most:
            raise typer.BadParameter(f"{brief(number)} is too large; give at most {at_most:,}.")
        return number

    return typer.Option(*names, help=help, metavar="N", parser=whole_number, show_default=default or True)


def real(help: str, default: str | None = None) -> Any:
    """An option that is a finite number, refused in one sentence if it is none."""
    return typer.Option(help=help, metavar="X", parser=read_real, show_default=default or True)


def read_real(text: Any) -> float:
    """The number that an option gives.

    Raises:
        typer.BadParameter: if it is none, not finite, or absurdly large.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise typer.BadParameter(f"{text!r} is not a finite number.")
    if abs(number) > LARGEST:
        raise typer.BadParameter(f"{text} is too large; give at most {LARGEST:,}.")
    return number


def complete_task(incomplete: str) -> list[str]:
    """The names of our tasks that a shell may complete a text to.

    >>> complete_task("cat")
    ['catapult', 'catcher_v3']
    """
    return [task.name for task in OURS if task.name.startswith(incomplete)]


AnyTask: TypeAlias = Annotated[
    str,
    typer.Argument(
        help="A Kinetix level, a manipulation task (scene-task1), or the id of any environment.",
        autocompletion=complete_task,
    ),
]
"""The argument TASK of commands that play any environment."""


def read_names(text: str) -> list[str]:
    """The names of a list with commas.

    >>> read_names("catapult, car_launch")
    ['catapult', 'car_launch']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def read_numbers(option: str, text: str) -> list[int]:
    """The numbers of a list like 0,2,4 or 0-4.

    Raises:
        ArgumentError: if it is no such list.

    >>> read_numbers("--delays", "0,2-4")
    [0, 2, 3, 4]
    """
    found: list[int] = []
    for part in read_names(text):
        match = re.fullmatch(r"(-?\d{1,4})(?:-(\d{1,4}))?", part)
        if not match:
            raise ArgumentError(f"{option} {text!r} is no list of whole numbers; write, for example, 0,2,4 or 0-4.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ArgumentError(f"{option} {text!r} runs backwards; write, for example, 0-4.")
        found += range(first, last + 1)
    return found


def read_widths(text: str) -> tuple[int, ...]:
    """Widths of layers.

    >>> read_widths("256,256")
    (256, 256)
    """
    parts = text.split(",")
    if len(parts) > DEEPEST or not all(re.fullmatch(r"\s*0*[1-9]\d{0,4}\s*", part) for part in parts):
        raise ArgumentError(f"hidden={brief(text)} are no widths; give whole numbers with commas, as 256,256,256.")
    if max(map(int, parts)) > WIDEST:
        raise ArgumentError(f"hidden={text!r} is too wide; give at most {WIDEST} for a layer.")
    return tuple(map(int, parts))


def is_given(context: typer.Context, name: str) -> bool:
    """Whether an option was written, even with its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def command_line(group: str, context: typer.Context, leave_out: tuple[str, ...]) -> str:
    """The command that makes the same result again.

    Args:
        group: the word before the command, such as "data".
        context: of the command.
        leave_out: names of parameters that do not change the result, such as "out" and "workers".
    """
    words = ["chunkenv", group, str(context.info_name)]
    for parameter in context.command.params:
        name = str(parameter.name)
        if not is_given(context, name) or name in leave_out:
            continue
        option = [max(parameter.opts, key=len)] if parameter.param_type_name == "option" else []
        value = context.params[name]
        if isinstance(value, bool):
            words += option if value else parameter.secondary_opts
        else:
            words += [word for each in (value if isinstance(value, list) else [value]) for word in (*option, str(each))]
    return shlex.join(words)
