"""The learned models of the world of a family of flow policies."""

from __future__ import annotations

from pathlib import Path

from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.policies.learned_model import LearnedModel, load_learned_model
from chunkenv.agents.pretrained.weight_families import add, verified_file
from chunkenv.registration import LEVELS, POLICIES
from chunkenv.utils.checks import one_of


def load_model(level: str, policies: str | Path = POLICIES) -> LearnedModel:
    """A trained model of a level.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        policies: one of `POLICY_FAMILIES`, or a folder of one's own.

    Raises:
        ArgumentError: an unknown level or family, or weights that are missing or are not those of the manifest.
    """
    name = f"{one_of('level', level, LEVELS)}-model"
    return load_learned_model(verified_file(name, policies, f"chunkenv train model {level} --data FOLDER"))


def add_model(model: LearnedModel, facts: Facts, folder: Path) -> Path:
    """Put a model among the weights of a folder, rounded, or replace the one that is there.

    Args:
        model: its level gives the name of its file.
        facts: for the manifest, plain data: command, commit, data.
        folder: where to.
    """
    return add(model, f"{model.level}-model", facts, folder)
