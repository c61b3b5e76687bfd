"""The correction heads (A2C2) of a family of flow policies."""

from __future__ import annotations

from pathlib import Path

from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.policies.correction_head import LABELS, CorrectionHead, load_correction_head
from chunkenv.agents.pretrained.weight_families import add, verified_file
from chunkenv.registration import LEVELS, POLICIES
from chunkenv.utils.checks import one_of

HOW = {"expert": "--expert PATH", "policy": "--label policy"}


def load_head(level: str, label: str, policies: str | Path = POLICIES) -> CorrectionHead:
    """A trained correction head of a level's plain policy.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        label: what it learned: "expert" or "policy".
        policies: one of `POLICY_FAMILIES`, or a folder of one's own.

    Raises:
        ArgumentError: an unknown level, label or family, or weights that are missing or are not those of the manifest.
    """
    name = f"{one_of('level', level, LEVELS)}-a2c2-{one_of('label', label, LABELS)}"
    command = f"chunkenv train a2c2 {level} --policies {policies} {HOW[label]}"
    return load_correction_head(verified_file(name, policies, command))


def add_head(head: CorrectionHead, facts: Facts, folder: Path) -> Path:
    """Put a head among the weights of a folder, rounded, or replace the one that is there.

    Args:
        head: its level and label give the name of its file.
        facts: for the manifest, plain data: command, commit, data, solve rate.
        folder: where to.
    """
    return add(head, f"{head.level}-a2c2-{head.label}", facts, folder)
