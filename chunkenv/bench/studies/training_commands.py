"""Which command trains the weights that a method needs and a family lacks."""

from __future__ import annotations

from collections.abc import Iterable

TRAINED_BY = {
    "plain": "chunkenv train flow",
    "prefix": "chunkenv train flow --prefix-conditioned --intended-prefix",
    "executed": "chunkenv train flow --prefix-conditioned",
    "soft-prefix": "chunkenv train flow --prefix-conditioned --intended-prefix --soft-rows 6",
    "vlash": "chunkenv train flow --future-offsets 4",
    "remac": "chunkenv train remac",
    "deflect": "chunkenv train deflect",
    "model": "chunkenv train model",
    "a2c2-expert": "chunkenv train a2c2 --expert PATH",
    "a2c2-policy": "chunkenv train a2c2 --label policy",
}
"""By the kind of weights."""


def training_commands(weights: Iterable[str]) -> str:
    """The commands that train some files of a family, in a few words.

    Args:
        weights: "LEVEL-KIND", as `missing_weights` has them.

    >>> training_commands(["catapult-remac", "trampoline-remac", "catapult-model"])
    'chunkenv train remac, chunkenv train model'
    """
    kinds = (name.partition("-")[2] for name in weights)
    return ", ".join(dict.fromkeys(TRAINED_BY[kind] for kind in kinds))
