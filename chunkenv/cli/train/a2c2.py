"""`chunkenv train a2c2`: a head that corrects each planned action by the newest observation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from chunkenv.bench.studies import flow_policy
from chunkenv.cli.command_line import LARGEST_SEED, command_line, complete_task, read_widths, whole
from chunkenv.cli.interrupts import say_if_interrupted
from chunkenv.cli.progress import progress_bar
from chunkenv.cli.train.demonstrations import describe_data
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.cli.train.updates import train_updates
from chunkenv.collect import ExpertSource, read_experts
from chunkenv.data import Dataset
from chunkenv.errors import ArgumentError
from chunkenv.registration import POLICIES, read_task
from chunkenv.utils.extras import require

if TYPE_CHECKING:
    from chunkenv.agents import FlowPolicy
    from chunkenv.training.correction_labels import LabelledTicks

TRANSITIONS = 262_144
HEADS = Path("results") / "a2c2"
RUNS = "runs"
RUNS_SEED = 6000
"""Of the runs of seed 0: far from the seeds of evaluations, whose noise must not be that of the data."""


def a2c2(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="A Kinetix level, or its id.", autocompletion=complete_task)],
    policies: Annotated[
        str, typer.Option(metavar="NAME", help="The family of the policy to correct, or a folder of policies.")
    ] = POLICIES,
    expert: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A checkpoint, or a folder, whose best is taken: its actions are right."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="policy: right is the first row of a fresh chunk; no expert is needed."),
    ] = None,
    transitions: Annotated[int, whole(help="At least so many ticks of the policy's own runs.")] = TRANSITIONS,
    hidden: Annotated[str, typer.Option(metavar="WIDTHS", help="Of the hidden layers.")] = "512,512",
    updates: Annotated[int | None, whole(help="Of the weights.", default="that of HeadSettings")] = None,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Annotated[int, whole(help="The same seed gives the same head, to the bit.", at_most=LARGEST_SEED)] = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets LEVEL/LABEL/seedK/ with all files.")] = HEADS,
) -> None:
    """Train a head that corrects each planned action of a flow policy by the newest observation (arXiv 2509.23224).

    A2C2 needs that policy, and an expert or the policy itself to say what is right; no data: the policy plays first,
    without delay. After Ctrl-C or a crash the same command goes on from the last block of episodes, or the last 1,000
    updates, and ends with the same head.
    """
    require("agents")
    from chunkenv.agents import with_optimizer
    from chunkenv.agents.delay_aware.residual_learning import HeadSettings
    from chunkenv.collect import collect_runs
    from chunkenv.training import HeadTraining, resume

    level = read_task(task, "Kinetix level").level
    source = _best_expert(expert, label, level)
    settings = HeadSettings(hidden=read_widths(hidden))
    settings = settings if updates is None else replace(settings, updates=updates)
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    folder = out / level / ("policy" if source is None else "expert") / f"seed{seed}"
    command, console = command_line("train", context, leave_out=("out",)), Console(highlight=False)
    policy, described = _policy(level, policies)
    collecting = partial(collect_runs, level, policy, folder / RUNS, transitions=transitions, source=described)
    runs = _collect(console, partial(collecting, leader=source, seed=RUNS_SEED + seed, command=command), transitions)
    ticks = _label(runs, policy, source)
    facts = {"level": level, "command": command, "policy": described, "data": describe_data(runs)} | _about(source)
    _train(console, resume(HeadTraining(ticks, settings, seed, facts), folder), folder)


def _best_expert(path: Path | None, label: str | None, level: str) -> ExpertSource | None:
    """The expert that labels; None for a fresh call of the policy."""
    if (path is None) == (label is None) or label not in (None, "policy"):
        given = f"--label {label}" * (label is not None) or "neither"
        raise ArgumentError(
            f"What is right in a state? Give either --expert PATH or --label policy; it is {given}"
            f"{' and --expert' * (path is not None)} now."
        )
    if path is None:
        return None
    return max(read_experts([path], level), key=lambda source: (_skill(source, "solve_rate"), _skill(source, "steps")))


def _skill(source: ExpertSource, name: str) -> float:
    """What an expert has as an attribute; -1 if it is unknown."""
    value = float(getattr(source.expert, name, -1))
    return value if value == value else -1.0


def _about(source: ExpertSource | None) -> dict[str, Any]:
    """What a head remembers of its label."""
    if source is None:
        return {"label": "policy"}
    known = {name: _skill(source, name) for name in ("solve_rate", "steps")}
    return {"label": "expert", "expert": {"name": source.name, "sha256": source.sha256, **known}}


def _policy(level: str, policies: str) -> tuple[FlowPolicy, dict[str, str]]:
    """The policy that is corrected, and what tells it from others."""
    from chunkenv.agents.pretrained import family_folder, manifest

    name, policy = f"{level}-plain", flow_policy(level, "plain", policies)
    return policy, {"name": f"{family_folder(policies).name}/{name}", "sha256": manifest(policies)[name]["sha256"]}


def _collect(console: Console, collect: Callable[..., Dataset], transitions: int) -> Dataset:
    """The policy's own runs, under a bar; Ctrl-C ends with a sentence."""
    kept = "the blocks of episodes that are done are kept. The same command goes on from there."
    with say_if_interrupted(console, lambda: kept), progress_bar(console, "runs", transitions) as move:

        def progress(_: int, ticks: int) -> None:
            move(ticks, f"runs  {min(ticks, transitions):,}/{transitions:,} ticks")

        return collect(progress=progress)


def _label(runs: Dataset, policy: FlowPolicy, source: ExpertSource | None) -> LabelledTicks:
    from chunkenv.training.correction_labels import label_by_expert, label_by_policy

    return label_by_policy(runs, policy) if source is None else label_by_expert(runs, source.expert)


def _train(console: Console, training: Any, folder: Path) -> None:
    """Train to the end, and say where the head is."""
    from chunkenv.training.correction import HEAD

    console.print(f"mean squared error of the planned actions: {training.uncorrected:.4f}")

    def loss(metrics: Mapping[str, float]) -> str:
        return f"loss {metrics['loss']:.4f}"

    train_updates(console, training, folder, folder / HEAD, "", loss, loss)
