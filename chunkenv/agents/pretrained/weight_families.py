"""Families of weights: folders whose `manifest.json` tells how each file was made, and its SHA-256."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from chunkenv.errors import ArgumentError
from chunkenv.registration import POLICIES, POLICY_FAMILIES
from chunkenv.utils.files import atomic_file

if TYPE_CHECKING:  # it reads safetensors, which studies without agents need not have
    from chunkenv.agents.common.checkpoint_file import Facts

SUFFIX = ".safetensors.xz"
KINDS = ("plain", "prefix", "executed", "vlash", "soft-prefix", "remac", "deflect")
"""Plain; prefix-conditioned, with the prefixes of the family's recipe; with prefixes as they were executed; plain, but
trained with the robot's state of some ticks later; prefix-conditioned, with further rows given in part,
or tuned to go on from its own plans, or to prefer fresh chunks."""


def family_folder(policies: str | Path = POLICIES) -> Path:
    """The folder of a family, or a folder of one's own that `add_pretrained` has written to.

    Raises:
        ArgumentError: it is no family, and no folder with a manifest.
    """
    folder = Path(__file__).parent / policies if str(policies) in POLICY_FAMILIES else Path(policies)
    if not (folder / "manifest.json").is_file():
        raise ArgumentError(
            f"policies={str(policies)!r} is neither {' nor '.join(POLICY_FAMILIES)} nor a folder with a manifest.json; "
            "give one of these."
        )
    return folder


class Savable(Protocol):
    """What a family can hold."""

    def save(self, path: Path, small: bool) -> None:
        """Write it into one file; `small`: with rounded matrices."""
        ...


def add(weights: Savable, name: str, facts: Facts, folder: Path) -> Path:
    """Put weights into a family, rounded and compressed, or replace those that are there.

    Args:
        weights: a flow policy, a head, a model.
        name: "level-kind".
        facts: for the manifest, plain data: command, commit, data, solve rate.
        folder: where to.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{SUFFIX}"
    weights.save(path, small=True)
    _record(path, facts)
    return path


def verified_file(name: str, policies: str | Path, command: str) -> Path:
    """The file of a family that is called so.

    Args:
        name: "level-kind".
        policies: as in `load_pretrained`.
        command: trains what is missing.

    Raises:
        ArgumentError: it is missing, or not that of the manifest.
    """
    folder = family_folder(policies)
    record, path = manifest(policies).get(name), folder / f"{name}{SUFFIX}"
    if record is None or not path.is_file():
        raise ArgumentError(f"There are no weights {name} in {folder}; train them: {command}.")
    if _hash(path) != record["sha256"]:
        raise ArgumentError(f"{path} is not the file that its manifest tells of; install chunkenv anew.")
    return path


def manifest(policies: str | Path = POLICIES) -> dict[str, Facts]:
    """The facts about each file of a family, by "level-kind"."""
    return json.loads((family_folder(policies) / "manifest.json").read_text(encoding="utf-8"))


def _record(path: Path, facts: Facts) -> None:
    """Write the facts about a file, its size and its hash into the manifest beside it."""
    manifest_path = path.parent / "manifest.json"
    records = json.loads(manifest_path.read_text(encoding="utf-8")) if manifest_path.is_file() else {}
    records[path.name.removesuffix(SUFFIX)] = {"sha256": _hash(path), "bytes": path.stat().st_size, **facts}
    text = json.dumps({key: records[key] for key in sorted(records)}, indent=1)
    with atomic_file(manifest_path) as file:
        file.write(f"{text}\n".encode())


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
