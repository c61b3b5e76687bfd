"""The family of flow policies that a study plays with: its name, or a folder of one's own."""

from __future__ import annotations

import hashlib

from chunkenv.agents.pretrained import family_folder
from chunkenv.registration import POLICY_FAMILIES


def settled_family(policies: str) -> str:
    """The family as every worker process finds it: a name stays, a folder gets its whole path.

    Raises:
        ArgumentError: it is no family, and no folder with a manifest.
    """
    return policies if policies in POLICY_FAMILIES else str(family_folder(policies).resolve())


def family_identity(policies: str) -> str:
    """What tells a family from every other one, wherever it lies: its name, or the hash of a folder's manifest.

    The manifest has the hash of each file of weights, which is checked when the file is loaded.

    >>> family_identity("smooth")
    'smooth'
    """
    if policies in POLICY_FAMILIES:
        return policies
    text = (family_folder(policies) / "manifest.json").read_bytes().replace(b"\r\n", b"\n")
    return f"manifest {hashlib.sha256(text).hexdigest()[:12]}"
