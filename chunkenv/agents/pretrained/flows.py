"""The flow policies of a family: some kinds for each Kinetix level."""

from __future__ import annotations

from pathlib import Path

from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.policies.flow_policy import FlowPolicy, load_flow_policy
from chunkenv.agents.pretrained.weight_families import KINDS, add, verified_file
from chunkenv.registration import LEVELS, POLICIES
from chunkenv.utils.checks import one_of


def load_pretrained(level: str, kind: str = "plain", policies: str | Path = POLICIES) -> FlowPolicy:
    """A trained flow policy.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        kind: "plain", or "prefix" for one that can go on from a clean prefix.
        policies: one of `POLICY_FAMILIES`, or a folder that `add_pretrained` has written to.

    Raises:
        ArgumentError: an unknown level, kind or family, or weights that are missing or are not those of the manifest.
    """
    name = f"{one_of('level', level, LEVELS)}-{one_of('kind', kind, KINDS)}"
    policy = load_flow_policy(verified_file(name, policies, f"chunkenv train flow {level} --data FOLDER"))
    policy.family = str(policies)
    return policy


def add_pretrained(policy: FlowPolicy, facts: Facts, folder: Path, kind: str | None = None) -> Path:
    """Put a policy among the weights of a folder, rounded, or replace the one that is there.

    Args:
        policy: its level gives the name of its file.
        facts: for the manifest, plain data: command, commit, data, solve rate.
        folder: where to.
        kind: one of `KINDS`; plain or prefix, as the policy is, if None.
    """
    kind = KINDS[policy.prefix_conditioned] if kind is None else one_of("kind", kind, KINDS)
    return add(policy, f"{policy.level}-{kind}", facts, folder)
