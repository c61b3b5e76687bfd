"""The flow policies that come with the package: for each of the twelve Kinetix levels a plain and a prefix-conditioned.

`manifest.json` records for each file the data, command and commit that it was made with, how many episodes it solves,
and the SHA-256 that loading checks.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.policies.flow_policy import FlowPolicy, load_flow_policy
from chunkenv.errors import ArgumentError
from chunkenv.registration import LEVELS
from chunkenv.utils.checks import one_of
from chunkenv.utils.files import atomic_file

__all__ = ["FOLDER", "KINDS", "add_pretrained", "load_pretrained", "manifest"]

KINDS = ("plain", "prefix")
FOLDER = Path(__file__).parent


def load_pretrained(level: str, kind: str = "plain", folder: Path = FOLDER) -> FlowPolicy:
    """A trained flow policy.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        kind: "plain", or "prefix" for one that can go on from a clean prefix.
        folder: that of the package, or another that `add_pretrained` has written to.

    Raises:
        ArgumentError: an unknown level or kind, or weights that are missing or are not those of the manifest.
    """
    name = f"{one_of('level', level, LEVELS)}-{one_of('kind', kind, KINDS)}"
    record, path = manifest(folder).get(name), folder / f"{name}.safetensors"
    if record is None or not path.is_file():
        raise ArgumentError(f"There are no {kind} flow weights of {level} in {folder}; train them: {_command(level)}.")
    if _hash(path) != record["sha256"]:
        raise ArgumentError(f"{path} is not the file that its manifest tells of; install chunkenv anew.")
    return load_flow_policy(path)


def manifest(folder: Path = FOLDER) -> dict[str, Facts]:
    """The facts about each file, by "level-kind"."""
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def add_pretrained(policy: FlowPolicy, facts: Facts, folder: Path = FOLDER) -> Path:
    """Put a policy among the weights, rounded to 8 bits, or replace the one that is there.

    Args:
        policy: its level and kind give the name of its file.
        facts: for the manifest, plain data: command, commit, data, solve rate.
        folder: where to.
    """
    name = f"{policy.level}-{KINDS[policy.prefix_conditioned]}"
    path = folder / f"{name}.safetensors"
    policy.save(path, small=True)
    records = {**manifest(folder), name: {"sha256": _hash(path), "bytes": path.stat().st_size, **facts}}
    text = json.dumps({key: records[key] for key in sorted(records)}, indent=1)
    with atomic_file(folder / "manifest.json") as file:
        file.write(f"{text}\n".encode())
    return path


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _command(level: str) -> str:
    return f"chunkenv train flow {level} --data FOLDER"
