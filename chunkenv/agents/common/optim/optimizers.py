"""The optimizers that every training may take, by name, and how settings say which one it is."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Protocol, TypeVar

import jax
import optax
from optax.contrib import MuonDimensionNumbers, muon

from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.common.optim.averaging import AVERAGING, track_average
from chunkenv.agents.common.optim.matrices import matrices
from chunkenv.agents.common.optim.splus import splus
from chunkenv.utils.checks import one_of, real_number, true_or_false

OPTIMIZERS = ("adam", "adamw", "muon", "splus")
"""The names that every training takes."""
SPLUS_RATE = 0.1
"""Steps of SPlus are in units of their own; those of the others are as large as Adam's."""
MUON_RMS = 0.2
"""The root mean square of Muon's steps at a learning rate of 1, which is about Adam's (Liu et al. 2025, 2502.16982)."""


class Optimized(Protocol):
    """Settings of a training that say how it descends.

    Attributes:
        optimizer: one of `OPTIMIZERS`.
        averaged: whether the results are averaged weights.
        learning_rate: of that optimizer.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def optimizer(self) -> str: ...  # noqa: D102

    @property
    def averaged(self) -> bool: ...  # noqa: D102

    @property
    def learning_rate(self) -> float: ...  # noqa: D102


Settings = TypeVar("Settings", bound=Optimized)


def make_optimizer(
    name: str,
    learning_rate: optax.ScalarOrSchedule,
    averaged: bool = False,
    *,
    weight_decay: float = 1e-2,
    epsilon: float = 1e-8,
) -> optax.GradientTransformation:
    """An optimizer by its name.

    Args:
        name: "adam" (Kingma and Ba 2015), "adamw" (Loshchilov and Hutter 2019), "muon" (Jordan 2024; matrices only,
            the rest takes Adam's steps) or "splus" (see `splus`: call `renew_bases` between compiled updates).
        learning_rate: a number, or a schedule.
        averaged: whether it keeps the average of the weights, see `averaged_weights`.
        weight_decay: of matrices, by all but Adam.
        epsilon: of Adam and AdamW.

    Raises:
        ArgumentError: an unknown name.
    """
    one_of("optimizer", name, OPTIMIZERS)
    if name == "splus":
        return splus(learning_rate, weight_decay=weight_decay, averaging=AVERAGING * averaged)
    if name == "muon":
        optimizer = _muon(learning_rate, weight_decay)
    elif name == "adamw":
        optimizer = optax.adamw(learning_rate, eps=epsilon, weight_decay=weight_decay, mask=matrices)
    else:
        optimizer = optax.adam(learning_rate, eps=epsilon)
    return optax.chain(optimizer, track_average()) if averaged else optimizer


def check_optimizer(settings: Optimized) -> None:
    """Look at what settings say of their optimizer.

    Raises:
        ArgumentError: for an invalid value.
    """
    one_of("optimizer", settings.optimizer, OPTIMIZERS)
    true_or_false("averaged", settings.averaged)
    real_number("learning_rate", settings.learning_rate, at_least=0.0)


def with_optimizer(
    settings: Settings, name: str | None = None, averaged: bool | None = None, learning_rate: float | None = None
) -> Settings:
    """The settings with another optimizer.

    Args:
        settings: of a training.
        name: one of `OPTIMIZERS`; None leaves it.
        averaged: None leaves it, but for SPlus, which is averaged.
        learning_rate: None for that of the optimizer: `SPLUS_RATE`, or what the settings have for the others. A
            `last_learning_rate`, where there is one, keeps its share of it.

    Raises:
        ArgumentError: for an invalid value.
    """
    changes = name not in (None, settings.optimizer)
    chosen = settings.optimizer if name is None else one_of("optimizer", name, OPTIMIZERS)
    to_splus = changes and chosen == "splus"
    usual = SPLUS_RATE if to_splus else settings.learning_rate
    rate = usual if learning_rate is None else real_number("learning_rate", learning_rate, at_least=0.0)
    return dataclasses.replace(
        settings,
        optimizer=chosen,
        averaged=settings.averaged or to_splus if averaged is None else averaged,
        **_rates(settings, rate),
    )


def settings_facts(settings: Optimized) -> Facts:
    """Settings as plain data, without the optimizer where it is the usual one.

    So trainings go on that were begun before there was a choice, and their results keep their bytes.
    """
    facts = dataclasses.asdict(settings)
    del facts["optimizer"], facts["averaged"]
    return facts | optimizer_facts(settings)


def optimizer_facts(settings: Optimized) -> Facts:
    """What is not usual of the optimizer of settings: what a result says of itself."""
    usual = {field.name: field.default for field in dataclasses.fields(settings)}
    chosen: Facts = {"optimizer": settings.optimizer, "averaged": settings.averaged}
    return {name: value for name, value in chosen.items() if value != usual[name]}


def _rates(settings: Optimized, rate: float) -> dict[str, float]:
    """The learning rate, and the one that it falls to."""
    last = getattr(settings, "last_learning_rate", None)
    if last is None or rate == settings.learning_rate or not settings.learning_rate:
        return {"learning_rate": rate}
    return {"learning_rate": rate, "last_learning_rate": last * rate / settings.learning_rate}


def _muon(learning_rate: optax.ScalarOrSchedule, weight_decay: float) -> optax.GradientTransformation:
    """Muon on matrices and on every member of an ensemble, with steps as large as Adam's."""

    def sides(weights: Any) -> Any:
        member = MuonDimensionNumbers(-2, -1)
        return jax.tree.map(lambda is_one: member if is_one else None, matrices(weights))

    return muon(
        learning_rate,
        weight_decay=weight_decay,
        weight_decay_mask=matrices,
        consistent_rms=MUON_RMS,
        muon_weight_dimension_numbers=sides,
    )
