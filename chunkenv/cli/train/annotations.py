"""`chunkenv train annotations`: an encoder of frames, before any task."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chunkenv.cli.command_line import command_line, complete_task, real, whole
from chunkenv.cli.train.agent_options import Seed
from chunkenv.cli.train.demonstrations import describe_data
from chunkenv.cli.train.optimizer_options import Averaged, LearningRate, OptimizerName
from chunkenv.cli.train.sharsa import check_family
from chunkenv.cli.train.updates import train_updates
from chunkenv.data import load as load_data
from chunkenv.registration import read_task
from chunkenv.utils.extras import require

RESULTS = Path("results") / "annotations"
LOSSES = {"annotation_loss": "annotations", "value_loss": "values"}


def annotations(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(help="Goal-conditioned manipulation, such as cube-single.", autocompletion=complete_task)
    ],
    data: Annotated[
        Path, typer.Option(metavar="FOLDER", help="What `chunkenv data collect --observation pixels` wrote.")
    ],
    kind: Annotated[
        str, typer.Option("--annotations", metavar="NAME", help="predicates, instances or prototypes.")
    ] = "instances",
    bootstrap_weight: Annotated[float, real(help="Of the loss of values; 0 learns annotations only.")] = 1.0,
    discount: Annotated[float, real(help="Of what later crops find.")] = 0.7,
    boxes: Annotated[int, whole(help="Crops that the best is looked for among.")] = 4,
    smallest: Annotated[float, real(help="Side of the smallest crop, a share of the frame's.")] = 0.4,
    features: Annotated[int, whole(help="Numbers that a frame becomes.")] = 128,
    updates: Annotated[int, whole(help="Of the weights.")] = 10_000,
    batch: Annotated[int, whole(help="Frames in an update.")] = 128,
    evaluate_every: Annotated[int, whole(help="Updates between evaluations.")] = 1000,
    optimizer: OptimizerName = None,
    averaged: Averaged = None,
    learning_rate: LearningRate = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets TASK/ANNOTATIONS/bootstrapB/seedK/.")] = RESULTS,
) -> None:
    """Train an encoder of frames before any task, by annotation bootstrapping or one of its baselines.

    Crops of frames are states, changes of crop actions, and what is annotated rewards of which values are learned.
    `--bootstrap-weight 0` leaves the values out: SimCLR, or supervised predicates. After Ctrl-C or a crash the same
    command goes on from the last evaluation, and ends with the same encoder.
    """
    require("vla")
    from chunkenv.agents import with_optimizer
    from chunkenv.agents.annotations import AnnotationSettings, EncoderSize
    from chunkenv.training import AnnotationTraining, resume
    from chunkenv.training.annotated_frames import read_annotated_frames
    from chunkenv.training.annotation_training import ENCODER

    asked, dataset = read_task(task, "goal-conditioned task"), load_data(data)
    assert asked.family is not None  # goal-conditioned tasks are families
    check_family(asked.id, dataset, data)
    settings = AnnotationSettings(
        size=EncoderSize(features=features),
        annotations=kind,
        bootstrap_weight=bootstrap_weight,
        discount=discount,
        boxes=boxes,
        smallest=smallest,
        updates=updates,
        batch=batch,
    )
    settings = with_optimizer(settings, optimizer, averaged, learning_rate)
    learned, held_out = read_annotated_frames(data, dataset, asked.family)
    command = command_line("train", context, leave_out=())
    facts = {"environment": {"id": asked.id}, "command": command, "data": describe_data(dataset)}
    folder = out / asked.name / kind / f"bootstrap{bootstrap_weight:g}" / f"seed{seed}"
    training = resume(AnnotationTraining(learned, settings, seed, facts, held_out, evaluate_every), folder)
    train_updates(Console(highlight=False), training, folder, folder / ENCODER, f"{kind}: ", describe, describe)


def describe(metrics: Mapping[str, float]) -> str:
    """How good it is.

    >>> describe({"annotation_loss": 0.5, "value_loss": 2.0})
    'loss of annotations 0.500, of values 2.000'
    """
    return f"loss {', '.join(f'of {name} {metrics[key]:.3f}' for key, name in LOSSES.items() if key in metrics)}"
