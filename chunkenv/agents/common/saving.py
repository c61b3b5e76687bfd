"""Agents as arrays and facts, and as files that are written whole or not at all."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common import checkpoint_file as checkpoints
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.data.horizons import Horizons
from chunkenv.errors import ArgumentError

KIND = "chunkenv agent"


def save(agent: Any, path: Path | str) -> None:
    """Write the agent, its optimiser's memory and its random state into one safetensors file."""
    checkpoints.write(Path(path), KIND, arrays_of(agent), facts_of(agent))


def load(agent_class: Any, path: Path | str) -> Any:
    """The agent that `save` wrote, to the bit.

    Raises:
        ArgumentError: there is no such file, it is damaged, or holds another agent.
    """
    arrays, facts = checkpoints.read(Path(path), KIND)
    if facts["agent"] != agent_class.name:
        raise ArgumentError(f"{path} holds an agent {facts['agent']!r}, not {agent_class.name!r}; load it as that.")
    settings = settings_of(agent_class.settings_class, facts["settings"])
    return restored(blank(agent_class, Sizes(**facts["sizes"]), settings), arrays)


def arrays_of(agent: Any) -> dict[str, np.ndarray]:
    """Everything that changes, by the name of its place."""
    leaves = jax.tree_util.tree_leaves_with_path(agent)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def facts_of(agent: Any) -> dict[str, Any]:
    """Everything that does not change, as plain data."""
    plain = {"settings": dataclasses.asdict(agent.settings), "sizes": dataclasses.asdict(agent.sizes)}
    return {"agent": agent.name, **plain}


def settings_of(settings_class: type[Any], plain: dict[str, Any]) -> Any:
    """Settings out of plain data."""
    hidden = {"hidden": tuple(plain["hidden"]), "horizons": Horizons(**plain["horizons"])}
    return settings_class(**{**plain, **hidden})


def blank(cls: Any, sizes: Sizes, settings: Any) -> Any:
    """The shape of an agent, without numbers."""
    return jax.eval_shape(lambda: cls.create(0, sizes.observation, sizes.action, settings))


def restored(like: Any, arrays: dict[str, np.ndarray]) -> Any:
    """An agent of the same shape as `like`, with these numbers.

    Raises:
        ArgumentError: they are of another shape.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(like)
    found = []
    for path, leaf in leaves:
        array = arrays.get(jax.tree_util.keystr(path))
        if array is None or array.shape != leaf.shape:
            shape = None if array is None else list(array.shape)
            raise ArgumentError(
                f"The checkpoint has {shape} for {jax.tree_util.keystr(path)}, the agent needs {list(leaf.shape)}: "
                "it is of an agent with other settings; give the same."
            )
        found.append(jnp.asarray(array, leaf.dtype))
    return jax.tree.unflatten(structure, found)
