"""The Q-chunking family by name: which agent with which settings, as in Q-chunking (arXiv 2507.07969)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from chunkenv.agents.cfgrl import CFGRL, CFGRLSettings
from chunkenv.agents.co_rft import CORFT, CORFTSettings
from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.common.learner import KIND, AgentSettings, Learner
from chunkenv.agents.dqc import DQC, DQCSettings
from chunkenv.agents.infom import InFOM, InFOMSettings
from chunkenv.agents.qc import QC, QCSettings
from chunkenv.agents.qc_fql import QCFQL, QCFQLSettings
from chunkenv.agents.rlpd import RLPD, RLPDSettings
from chunkenv.agents.sharsa import SHARSA, SHARSASettings
from chunkenv.data.horizons import Horizons
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import one_of


class Recipe(NamedTuple):
    """How an agent of that name is made.

    Attributes:
        agent: its class.
        settings: its settings' class.
        chunked: whether one inference decides a chunk, instead of one action.
        backup: ticks of the backup, given the chunk's length that is asked for; None for as many as it decides.
        changed: settings that differ from the class's defaults.
        online_only: whether it has no offline phase.
        offline_only: whether it learns from data alone.
    """

    agent: type[Learner]
    settings: type[AgentSettings]
    chunked: bool = True
    backup: int | None = None
    changed: dict[str, Any] = {}  # noqa: RUF012 (it is not changed)
    online_only: bool = False
    offline_only: bool = False


N_STEP = 5
LONG = 25

RECIPES = {
    "qc": Recipe(QC, QCSettings),
    "bfn": Recipe(QC, QCSettings, chunked=False, changed={"samples": 4}),
    "bfn-n": Recipe(QC, QCSettings, chunked=False, backup=N_STEP, changed={"samples": 4}),
    "qc-fql": Recipe(QCFQL, QCFQLSettings),
    "fql": Recipe(QCFQL, QCFQLSettings, chunked=False),
    "fql-n": Recipe(QCFQL, QCFQLSettings, chunked=False, backup=N_STEP),
    "rlpd": Recipe(RLPD, RLPDSettings, chunked=False, online_only=True),
    "rlpd-ac": Recipe(RLPD, RLPDSettings, online_only=True),
    "qc-rlpd": Recipe(RLPD, RLPDSettings, changed={"imitation": 0.01}, online_only=True),
    "dqc": Recipe(DQC, DQCSettings, backup=LONG),
    "cfgrl": Recipe(CFGRL, CFGRLSettings, changed={"form": "advantage"}),
    "infom": Recipe(InFOM, InFOMSettings, offline_only=True),
    "co-rft": Recipe(CORFT, CORFTSettings, offline_only=True),
    "sharsa": Recipe(SHARSA, SHARSASettings, backup=LONG, offline_only=True),
}
"""Every agent by its name; those of one action at a time are the one-step and n-step controls."""


def register(name: str, recipe: Recipe) -> None:
    """Give an agent of your own a name, for all that takes one: settings, trainings, files.

    Args:
        name: of its own; the class's `name` is what files call it.
        recipe: how it is made; its class is a `Learner`.

    Raises:
        ArgumentError: another agent has that name.
    """
    if RECIPES.get(name, recipe) != recipe:
        raise ArgumentError(f"name={name!r} is taken by {RECIPES[name].agent.__name__}; choose another.")
    RECIPES[name] = recipe


def settings_for(
    name: str,
    chunk: int = 5,
    delay: int = 0,
    prefix: bool = True,
    discount: float = 0.99,
    backup: int | None = None,
    **given: Any,
) -> AgentSettings:
    """The settings of an agent.

    Args:
        name: one of `RECIPES`.
        chunk: actions that one inference decides; those of one action at a time decide 1.
        delay: ticks that an inference takes.
        prefix: whether the actions that are decided already are part of the state.
        discount: per tick.
        backup: ticks of the backup, if not the agent's own.
        **given: other settings, which replace the agent's own; None leaves them.

    Raises:
        ArgumentError: an unknown name, or an invalid value.

    >>> settings_for("bfn-n").horizons.backup, settings_for("qc", delay=2).horizons.prediction_horizon
    (5, 7)
    """
    recipe = RECIPES[one_of("agent", name, tuple(RECIPES))]
    decided = chunk if recipe.chunked else 1
    usual = max(recipe.backup or decided, decided)
    horizons = Horizons(decided, usual if backup is None else backup, delay, prefix, discount)
    asked = {key: value for key, value in given.items() if value is not None}
    return recipe.settings(**{**recipe.changed, **asked}, horizons=horizons)


def create(name: str, seed: int, observation_size: int, action_size: int, settings: AgentSettings) -> Learner:
    """An agent of that name that has not learned anything."""
    return RECIPES[one_of("agent", name, tuple(RECIPES))].agent.create(seed, observation_size, action_size, settings)


def load_agent(path: Path | str) -> Learner:
    """The agent in a file, whichever it is.

    Raises:
        ArgumentError: there is no such file, or it holds no agent.
    """
    arrays, facts = checkpoint_file.read(Path(path), KIND)
    known = {recipe.agent.name: recipe.agent for recipe in RECIPES.values()}
    if facts["agent"] not in known:
        raise ArgumentError(f"{path} holds an agent {facts['agent']!r}, which is not registered; register it.")
    return known[facts["agent"]].restore(arrays, facts)
