"""`chunkenv data`: collect trajectories, look at them, check them, exchange them with Minari."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from chunkenv.data.check import check_dataset
from chunkenv.data.dataset import Dataset, load
from chunkenv.data.formats.minari import from_minari, to_minari
from chunkenv.data.summary import summarize_channels, summarize_experts
from chunkenv.errors import ArgumentError
from chunkenv.registration import read_task, task_of_level
from chunkenv.utils.processes import usable_cores

DATASETS = Path("results") / "data"
BAR, SHADES = 30, " ░▒▓█"
RARE = 0.001
"""Shares below it are not rounded to nothing: a task that ends with its success holds it for one tick an episode."""
LEAST_SOLVE_RATE = 0.65
"""What an expert of real-time chunking's data has to solve."""

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Collect trajectories, look at them, check them."
)
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Of a dataset.")]


@app.command()
def collect(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="A Kinetix level or a manipulation task, or its id.")],
    experts: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="A checkpoint, or a folder with some at any depth; may be given repeatedly."),
    ] = None,
    planner: Annotated[bool, typer.Option("--planner", help="The sampling planner, which needs no training.")] = False,
    style: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="In manipulation, what the oracle does: play, task or noisy."),
    ] = None,
    reward: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="In manipulation: count or sparse.", show_default="count"),
    ] = None,
    primitives: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="In manipulation: plan (with correlated noise) or markov.",
            show_default="by the style",
        ),
    ] = None,
    episodes: Annotated[int | None, typer.Option(metavar="N", help="How many; or:")] = None,
    transitions: Annotated[int | None, typer.Option(metavar="N", help="At least how many ticks.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same rows.")] = 0,
    action_noise: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Standard deviation; in manipulation the largest one, and part of the data.",
            show_default="0.1, in manipulation by the style",
        ),
    ] = None,
    solve_rate: Annotated[
        float, typer.Option(metavar="X", help="Leave out experts that solved less when they were saved.")
    ] = LEAST_SOLVE_RATE,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes; they change nothing but the time.", show_default="one a core"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="For the dataset.", show_default=f"{DATASETS}/TASK")
    ] = None,
) -> None:
    """Play episodes and keep every tick.

    Trained experts play, one drawn for each episode, or the planner; in manipulation the oracle does. After Ctrl-C, or
    a crash, the same command goes on from there.
    """
    level = read_task(task).level
    oracle = {"style": style, "reward": reward, "primitives": primitives}
    collect_all = _collector(level, experts, planner, oracle, action_noise, solve_rate)
    folder = out or DATASETS / level
    console = Console(highlight=False)
    rest: dict[str, Any] = {
        "episodes": episodes,
        "transitions": transitions,
        "seed": seed,
        "workers": usable_cores() if workers is None else workers,
        "command": _command(context),
    }
    with _Bar(console, episodes, transitions) as (bar, progress):
        _interruptible(bar, lambda: collect_all(out=folder, progress=progress, **rest))
    _show(load(folder), console)
    console.print(f"dataset  {folder}", soft_wrap=True)


def _collector(
    level: str,
    experts: list[Path] | None,
    planner: bool,
    oracle: dict[str, str | None],
    action_noise: float | None,
    solve_rate: float,
) -> Callable[..., Dataset]:
    """What collects: everything is settled but where to, and how much."""
    import chunkenv.collect as collection

    if read_task(level).family is not None:
        if experts or planner or oracle["style"] is None:
            raise ArgumentError(f"{level} is played by the oracle: give --style play, task or noisy, and nobody else.")
        asked = {name: value for name, value in oracle.items() if value is not None}
        return partial(collection.collect_oracle, level, action_noise=action_noise, **asked)
    if foreign := [f"--{name}" for name, value in oracle.items() if value is not None]:
        raise ArgumentError(f"{foreign[0]} is an option of manipulation tasks, and {level} is none; leave it out.")
    if bool(experts) == planner:
        raise ArgumentError("Whose episodes are they to be? Give either --experts PATH or --planner.")
    noise = collection.ACTION_NOISE if action_noise is None else action_noise
    if planner:
        from chunkenv.agents.sampling_planner import Planner

        return partial(collection.collect_plans, level, Planner(level), action_noise=noise)
    sources = collection.read_experts(experts or [], level, solve_rate)
    return partial(collection.collect, level, sources, action_noise=noise)


@app.command()
def info(folder: Folder) -> None:
    """Show what is in a dataset: episodes, solve rates by expert, how the actions are used."""
    dataset = load(folder)
    console = Console(highlight=False)
    keys = ("level", "observation", "noise", "seed", "episodes", "transitions", "chunkenv", "command")
    for key in keys:
        console.print(f"{key:<12} {dataset.info.get(key)}", soft_wrap=True, markup=False)
    _show(dataset, console)
    task = task_of_level(dataset.info.get("level"))
    manipulation = task is not None and task.family is not None
    if manipulation:
        _show_coverage(dataset, console)
    console.print(_channel_table(dataset))
    answers = "episodes begin differently" if manipulation else "they all answer the same observation"
    console.print(
        f"first std: how much the first actions of the episodes differ ({answers}). "
        "two peaks: their bimodality coefficient, .33 for a Gaussian, .56 if uniform, 1 for two values."
    )


@app.command()
def check(
    folder: Folder,
    replay: Annotated[
        int, typer.Option(metavar="N", help="Also play N episodes again, and expect the same to the bit.")
    ] = 0,
) -> None:
    """Verify checksums, shapes, numbers, and where episodes begin and end; exit with 1 if anything is wrong."""
    problems = check_dataset(folder)
    dataset = load(folder)
    if replay and not problems:
        from chunkenv.data.verify import verify_episodes

        problems = verify_episodes(dataset, replay)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{folder} is sound: {len(dataset.episodes.length)} episodes, {len(dataset)} transitions.")


@app.command()
def export(
    folder: Folder,
    dataset_id: Annotated[str, typer.Argument(metavar="ID", help="For Minari, such as kinetix/catapult-v0.")],
) -> None:
    """Write a dataset as one of Minari's, among its local ones."""
    made = to_minari(load(folder), dataset_id)
    typer.echo(f"{dataset_id}: {made.total_episodes} episodes, {made.total_steps} transitions.")


@app.command("import")
def import_(
    dataset_id: Annotated[str, typer.Argument(metavar="ID", help="Of a local Minari dataset.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="For the dataset; empty or not there.")],
) -> None:
    """Write a local dataset of Minari's in the plain form."""
    dataset = from_minari(dataset_id, folder)
    typer.echo(f"{folder}: {len(dataset.episodes.length)} episodes, {len(dataset)} transitions.")


@app.command("import-ogbench")
def import_ogbench(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="An npz file that ogbench published.")],
    task: Annotated[str, typer.Argument(help="The manipulation task whose rewards it gets, or its id.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="For the dataset; empty or not there.")],
    reward: Annotated[str, typer.Option(metavar="NAME", help="count or sparse.")] = "count",
) -> None:
    """Write a dataset that ogbench published in the plain form, with the rewards of a task."""
    from chunkenv.data.formats.ogbench import from_ogbench

    dataset = from_ogbench(path, task, folder, reward)
    typer.echo(f"{folder}: {len(dataset.episodes.length)} episodes, {len(dataset)} transitions.")


class _Bar:
    """A progress bar over episodes or ticks, and what is to be called to move it."""

    def __init__(self, console: Console, episodes: int | None, transitions: int | None) -> None:
        unit = "transitions" if episodes is None else "episodes"
        columns = (MofNCompleteColumn(), TextColumn(unit), BarColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, TextColumn("left:"), TimeRemainingColumn(), console=console)
        self._by_episodes, self._total = episodes is not None, episodes if transitions is None else transitions
        self.kept = 0

    def __enter__(self) -> tuple[_Bar, Any]:
        self._bar.__enter__()
        self._task = self._bar.add_task("", total=self._total)
        return self, self.move

    def __exit__(self, *error: Any) -> None:
        self._bar.__exit__(*error)

    def move(self, episodes: int, transitions: int) -> None:
        self.kept = episodes
        done = episodes if self._by_episodes else transitions
        self._bar.update(self._task, completed=min(done, self._total or 0))


def _interruptible(bar: _Bar, work: Any) -> None:
    try:
        work()
    except KeyboardInterrupt as error:
        typer.echo(f"Interrupted: at least {bar.kept} episodes are kept. The same command goes on from there.")
        raise typer.Exit(130) from error


def _show(dataset: Dataset, console: Console) -> None:
    """A line for each expert, and their sum."""
    table = Table("expert", "saved at", "episodes", "solved", "rate", "ticks", box=None, padding=(0, 2, 0, 0))
    lines = summarize_experts(dataset)
    for line, expert in zip(lines, dataset.info["experts"], strict=True):
        saved = f"{expert['solve_rate']:.3f}" if "solve_rate" in expert else ""
        rate = line.solved / line.episodes if line.episodes else math.nan
        table.add_row(line.name, saved, f"{line.episodes}", f"{line.solved}", f"{rate:.3f}", f"{line.ticks:.1f}")
    episodes, solved = sum(line.episodes for line in lines), sum(line.solved for line in lines)
    table.add_row("all", "", f"{episodes}", f"{solved}", f"{solved / episodes:.3f}", f"{len(dataset) / episodes:.1f}")
    console.print(table)


def _show_coverage(dataset: Dataset, console: Console) -> None:
    """How often each sub-goal held, and a map of where the cubes have been."""
    from chunkenv.data.coverage import map_visits, measure_coverage

    table = Table("as the task wants it", "ticks", "", "episodes", box=None, padding=(0, 2, 0, 0))
    for line in measure_coverage(dataset):
        bar = "█" * round(BAR * line.ticks)
        share = f"{line.ticks:.1%}" if line.ticks >= RARE or not line.episodes else f"below {RARE:.1%}"
        table.add_row(line.name, share, bar, f"{line.episodes}")
    console.print(table)
    places = map_visits(dataset)
    if places.any():
        shades = np.ceil((len(SHADES) - 1) * np.sqrt(places / places.max())).astype(int)
        console.print("cubes on the table, x upwards from 0.25 to 0.6 m, y from -0.35 to 0.35 m:")
        for row in shades[::-1]:
            console.print("  |" + "".join(2 * SHADES[shade] for shade in row) + "|", highlight=False)


def _channel_table(dataset: Dataset) -> Table:
    names = ("channel", "low", "high", "mean", "std", "at ±1", "first std", "two peaks")
    table = Table(*names, box=None, padding=(0, 2, 0, 0))
    for index, channel in enumerate(summarize_channels(dataset)):
        table.add_row(f"{index}", *(f"{value:.3f}" for value in channel))
    return table


def _command(context: typer.Context) -> str:
    """The command line that makes the same rows again, without what changes nothing in them."""
    words = ["chunkenv", "data", "collect", str(context.params["task"])]
    for name, value in context.params.items():
        source = context.get_parameter_source(name)
        if name in ("task", "out", "workers") or source is None or source.name == "DEFAULT":
            continue
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        else:
            words += [word for one in (value if isinstance(value, list) else [value]) for word in (option, str(one))]
    return shlex.join(words)
