"""What the wrappers for one-step agents share about actions: reading them, and one that fills a gap."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces

from chunkenv.errors import ArgumentError
from chunkenv.spaces import LEAVES, Checked, chunk_space, leaves, padding, split


def action_reader(action_space: spaces.Space[Any]) -> Checked:
    """A checker and copier of the actions of a space.

    Raises:
        ArgumentError: if the space has a part other than Box, Discrete, MultiDiscrete, MultiBinary, Dict and Tuple.
    """
    for leaf in leaves(action_space):
        if not isinstance(leaf, LEAVES):
            raise ArgumentError(
                f"actions of {leaf} cannot be checked and copied; "
                "actions are made of Box, Discrete, MultiDiscrete, MultiBinary, Dict and Tuple spaces."
            )
    return Checked(action_space, "action")


def filling_action(action_space: spaces.Space[Any]) -> Any:
    """The zero action, or the nearest one in the space."""
    one_row = chunk_space(action_space, 1)
    return split(one_row, padding(one_row))[0]
