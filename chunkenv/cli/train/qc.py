"""`chunkenv train qc`: an agent of the Q-chunking family, offline, then online."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import gymnasium as gym
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from chunkenv.cli.data.commands import DATASETS
from chunkenv.data import Dataset
from chunkenv.data import load as load_data
from chunkenv.data.environments import environment_of, family_of, id_of, level_of
from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import require
from chunkenv.utils.processes import usable_cores

if TYPE_CHECKING:
    from chunkenv.training.offline_online import Training

RESULTS = Path("results") / "qc"
RANDOM_TICKS = 1000  # of agents without an offline phase
OFFLINE_STEPS = 10_000
EPISODES = 120
"""Of play, where no data are given: what the oracle of a manipulation task does in minutes."""


def qc(
    task: Annotated[str, typer.Argument(help="One of ours, or any id whose observations and actions are vectors.")],
    agent: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Chunks: qc, qc-fql, dqc, rlpd-ac, qc-rlpd; one action: bfn, bfn-n, fql, fql-n, rlpd."
        ),
    ] = "qc-fql",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="What `chunkenv data collect` wrote.",
            show_default="in manipulation 120 episodes of play, which it collects; none elsewhere",
        ),
    ] = None,
    offline_steps: Annotated[
        int | None,
        typer.Option(metavar="N", help="Updates on the data.", show_default=f"{OFFLINE_STEPS}; none without data"),
    ] = None,
    online_steps: Annotated[int, typer.Option(metavar="N", help="Control steps played, an update each.")] = 30_000,
    chunk: Annotated[int, typer.Option(metavar="N", help="Actions that an inference decides.")] = 5,
    backup: Annotated[
        int | None, typer.Option(metavar="N", help="Rewards in a target.", show_default="the agent's")
    ] = None,
    execution_horizon: Annotated[
        int | None, typer.Option(metavar="N", help="Ticks between inferences.", show_default="chunk")
    ] = None,
    delay: Annotated[int, typer.Option(metavar="N", help="Ticks that an inference takes.")] = 0,
    prefix: Annotated[
        bool, typer.Option("--prefix/--no-prefix", help="With a delay: show the agent what is decided already.")
    ] = True,
    discount: Annotated[float, typer.Option(metavar="X", help="Per tick.")] = 0.99,
    hidden: Annotated[str, typer.Option(metavar="WIDTHS", help="Of the hidden layers.")] = "256,256,256",
    samples: Annotated[
        int | None, typer.Option(metavar="N", help="qc, dqc: chunks to choose from.", show_default="the agent's")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(metavar="X", help="qc-fql: strength of imitation.", show_default="100")
    ] = None,
    target_sampler: Annotated[
        str | None, typer.Option(metavar="NAME", help="qc: flow (exact) or distilled (fast).", show_default="flow")
    ] = None,
    target_steps: Annotated[
        int | None, typer.Option(metavar="N", help="qc: flow steps in targets.", show_default="10")
    ] = None,
    target_dtype: Annotated[
        str | None, typer.Option(metavar="NAME", help="qc: float32 (exact) or bfloat16.", show_default="float32")
    ] = None,
    evaluate_every: Annotated[int, typer.Option(metavar="N", help="Steps between evaluations.")] = 2500,
    episodes: Annotated[int, typer.Option(metavar="N", help="Of an evaluation.")] = 20,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same agent, to the bit.")] = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets TASK/AGENT/seedK/ with all files.")] = RESULTS,
) -> None:
    """Train an agent that decides chunks: on data, then by playing, with inference as late as you say.

    The defaults solve the tasks with one cube in a quarter of an hour on one core; the papers have 512,512,512,512 and
    a million steps of each kind. After Ctrl-C or a crash the same command goes on from the last evaluation, and ends
    with the same agent.
    """
    require("agents")
    from chunkenv.agents import registry as q_agents
    from chunkenv.training import offline_online as qc_training

    own = {
        "samples": samples,
        "alpha": alpha,
        "target_sampler": target_sampler,
        "target_steps": target_steps,
        "target_dtype": target_dtype,
    }
    asked = {name: value for name, value in own.items() if value is not None}
    settings = _settings(q_agents, agent, chunk, delay, prefix, discount, backup, asked, _widths(hidden))
    alone = q_agents.RECIPES[agent].online_only
    console = Console(highlight=False)
    task = _known(task)
    level = _level(task)
    learned = data is not None or level is not None
    plan = qc_training.Plan(  # before data are collected: it complains of what cannot be meant
        task,
        offline_steps=offline_steps if offline_steps is not None else OFFLINE_STEPS if learned and not alone else 0,
        online_steps=online_steps,
        warm_up=RANDOM_TICKS if alone else 0,
        execution_horizon=execution_horizon,
        evaluate_every=evaluate_every,
        episodes=episodes,
    )
    dataset = load_data(data) if data is not None else _generated(level, console)
    plan = replace(plan, arguments=_arguments(task, dataset, data))
    folder = out / task.rpartition("/")[2] / agent / f"seed{seed}"
    training = qc_training.resume_or_begin(plan, agent, settings, dataset, seed, folder)
    if training.steps:
        console.print(f"{agent} goes on from {training.steps:,} steps.")
    _watch(console, agent, training, qc_training.train(training, folder))
    path = escape(str(folder / qc_training.AGENT))
    console.print(f"agent  {path}\nwatch  chunkenv play {task} --agent {path}", soft_wrap=True)


def _settings(
    agents: Any,
    agent: str,
    chunk: int,
    delay: int,
    prefix: bool,
    discount: float,
    backup: int | None,
    asked: dict[str, Any],
    hidden: tuple[int, ...],
) -> Any:
    """The agent's settings; an option that it does not have is refused."""
    own = agents.settings_for(agent).__dataclass_fields__
    if foreign := [name for name in asked if name not in own]:
        option = "--" + foreign[0].replace("_", "-")
        raise ArgumentError(f"{option} is no option of {agent}; leave it out.")
    return agents.settings_for(agent, chunk, delay, prefix, discount, backup, hidden=hidden, **asked)


def _level(task: str) -> str | None:
    """The level of a manipulation task by its id, such as "manip-scene-task2"; None for other environments."""
    level = level_of(task)
    return level if level is not None and family_of(level) is not None and id_of(level) == task else None


def _generated(level: str | None, console: Console) -> Dataset | None:
    """The oracle's play in a manipulation task, collected now if it is not there; None without a level."""
    if level is None:
        return None
    from chunkenv.collect.collect import collect_oracle

    folder = DATASETS / f"{level}-play"
    console.print(f"data   {EPISODES} episodes of the oracle's play, in {escape(str(folder))}", soft_wrap=True)
    command = f"chunkenv data collect {level} --style play --episodes {EPISODES}"
    return collect_oracle(level, "play", folder, episodes=EPISODES, workers=usable_cores(), command=command)


def _widths(text: str) -> tuple[int, ...]:
    """Widths of layers.

    >>> _widths("256,256")
    (256, 256)
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ArgumentError(f"hidden={text!r} are no widths; give whole numbers with commas, as 256,256,256.") from None


def _known(task: str) -> str:
    """The id of any environment that there is, or of a task of ours by its name."""
    if task in gym.registry:  # an id of the user's own is never taken for one of our names
        return task
    if (level := level_of(task)) is None:
        raise ArgumentError(f"There is no environment {task!r}; `chunkenv tasks` lists those of this package.")
    return id_of(level)


def _arguments(task: str, dataset: Dataset | None, path: Path | None) -> dict[str, Any]:
    """What the data were collected with besides the id."""
    found = None if dataset is None else environment_of(dataset.info)
    if found is None:
        return {}
    if found.id != task:
        raise ArgumentError(f"{path} has data of {found.id}, not of {task}; give the folder of that one.")
    return found.arguments


def _watch(console: Console, agent: str, training: Training, rounds: Any) -> None:
    """A line that moves on a terminal, one for each evaluation elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,} of {task.total:,} steps"))
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    total = training.plan.offline_steps + training.plan.online_steps
    with Progress(*columns, *times, console=console, disable=not console.is_terminal) as progress:
        line = progress.add_task(agent, total=total, completed=training.steps)
        for metrics in rounds:
            progress.update(line, completed=min(int(metrics["steps"]), total))
            if "return" not in metrics:
                continue
            text = _verdict(metrics)
            progress.update(line, description=f"{agent}: {text}")
            if not console.is_terminal:
                console.print(
                    f"{agent}: {int(metrics['steps']):,} of {total:,} steps, {text}, {metrics['seconds']:.0f} s",
                    soft_wrap=True,
                )


def _verdict(metrics: dict[str, float]) -> str:
    """How good it is.

    >>> _verdict({"return": -120.0, "solve_rate": 0.5}), _verdict({"return": -120.0})
    ('50% solved', 'return -120.0')
    """
    return f"{metrics['solve_rate']:.0%} solved" if "solve_rate" in metrics else f"return {metrics['return']:.1f}"
