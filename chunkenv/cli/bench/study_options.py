"""Options that several commands for studies have."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from chunkenv.bench.run.runner import Workers, check_workers
from chunkenv.bench.studies.methods import METHODS, available_methods, missing_weights
from chunkenv.bench.studies.rtc_study import PAPERS_METHODS
from chunkenv.bench.studies.training_commands import training_commands
from chunkenv.cli.command_line import LARGEST_SEED, MOST_EPISODES, MOST_WORKERS, is_given, read_names, whole
from chunkenv.errors import ArgumentError
from chunkenv.registration import LEVELS, POLICY_FAMILIES, read_task
from chunkenv.utils.checks import one_of

DATABASE = "episodes.sqlite"
RESULTS = Path("results")
HOW = "add them to a folder for --policies (docs/howto/flow.md, Families of weights)"
SHOW_ONLY = ("out", "workers", "overwrite", "executor", "address")
"""Options that change no row."""


Tasks = Annotated[str, typer.Option(metavar="NAMES", help="Levels, separated by commas, or all.")]
Methods = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help=f"Execution methods, separated by commas, or all: {', '.join(METHODS)}.",
        show_default=f"the paper's: {', '.join(PAPERS_METHODS)}",
    ),
]
Episodes = Annotated[int, whole(help="Episodes of every cell: of each combination of settings.", at_most=MOST_EPISODES)]
Seed = Annotated[int, whole(help="Seed of the study: the same seed gives the same rows.", at_most=LARGEST_SEED)]
Count = Annotated[
    int, whole(help="Processes; they change nothing but the time.", default="one a core", at_most=MOST_WORKERS)
]
Executor = Annotated[str, typer.Option(metavar="NAME", help="Where workers run: process (here) or ray.")]
Address = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="A Ray cluster that runs already.")]
Policies = Annotated[
    str, typer.Option(metavar="FAMILY", help=f"Flow policies: {', '.join(POLICY_FAMILIES)}, or a folder of them.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Throw away the rows that are there.")]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="For the database and the plots.")]


def with_study_options(episodes: int, out: Path) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options of every command that plays a study of the package, behind those that the command itself lists.

    What reads them finds them in `context.params`.

    Args:
        episodes: of a cell, unless the option says otherwise.
        out: the folder, unless the option says otherwise.
    """
    shared: dict[str, tuple[Any, Any]] = {
        "episodes": (Episodes, episodes),
        "seed": (Seed, 0),
        "workers": (Count, 0),
        "executor": (Executor, "process"),
        "address": (Address, None),
        "overwrite": (Overwrite, False),
        "out": (Out, out),
    }

    def add_to(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())

        @functools.wraps(command)
        def with_shared(**options: Any) -> None:
            command(**{parameter.name: options[parameter.name] for parameter in own})

        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, (kind, default) in shared.items()
        ]
        parameters = [*own, *more]
        with_shared.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue]
        with_shared.__annotations__ = {each.name: each.annotation for each in parameters}  # typer reads both
        return with_shared

    return add_to


def episodes_of(context: typer.Context, quick: int) -> int:
    """What `--episodes` says, or `--quick` means.

    Raises:
        ArgumentError: if both are given.
    """
    if context.params["quick"] and is_given(context, "episodes"):
        raise ArgumentError(f"--quick means --episodes {quick}; give one of the two.")
    return quick if context.params["quick"] else context.params["episodes"]


def levels_of(tasks: str) -> tuple[str, ...]:
    """What `--tasks` says: the names of Kinetix levels.

    Raises:
        ArgumentError: an unknown name.
    """
    if tasks == "all":
        return LEVELS
    return tuple(read_task(task, "Kinetix level").level for task in read_names(tasks))


def methods_of(
    text: str | None, policies: str, tasks: Sequence[str], usual: Sequence[str] = PAPERS_METHODS
) -> tuple[str, ...]:
    """What `--methods` says: names, or all whose weights the family has; the others are named, and left out.

    Args:
        text: of the option: "all", names, or None where it was not given.
        policies: the family.
        tasks: the names of the levels that are played.
        usual: the methods if the option was not given.

    Raises:
        ArgumentError: an unknown name, or a method that was named and lacks its weights.
    """
    if text == "all":
        there = available_methods(policies, tasks)
        _say_left_out([method for method in METHODS if method not in there], policies, tasks)
        return there
    names = tuple(usual) if text is None else tuple(read_names(text))
    for method in names:
        if missing := missing_weights(one_of("method", method, tuple(METHODS)), policies, tasks):
            raise ArgumentError(
                f"method={method!r} needs the weights {missing[0]}, which policies={policies!r} lacks; leave the "
                f"method out, or train them with {training_commands(missing)} and {HOW}."
            )
    return names


def _say_left_out(methods: Sequence[str], policies: str, tasks: Sequence[str]) -> None:
    if methods:
        commands = (training_commands(missing_weights(method, policies, tasks)) for method in methods)
        named = "; ".join(f"{method} ({command})" for method, command in zip(methods, commands, strict=True))
        sentence = f"Left out, because policies={policies!r} lacks their weights: {named}. Train them and {HOW}."
        Console(highlight=False).print(sentence, soft_wrap=True, markup=False)


def workers_of(context: typer.Context) -> Workers:
    """What `--workers`, `--executor` and `--address` say; the last two are not there in every command.

    Raises:
        ArgumentError: if it is invalid.
    """
    chosen = context.params
    count = chosen["workers"] if is_given(context, "workers") or chosen["workers"] else None  # 0 is one a core
    return check_workers(Workers(count, chosen.get("executor", "process"), chosen.get("address")))
