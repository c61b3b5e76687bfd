"""The optional dependencies: what each gives, whether it is installed, and how to install it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from typing import NamedTuple

from chunkenv.errors import MissingExtraError


class Extra(NamedTuple):
    """A group of optional dependencies, installed by what `install_command` says."""

    name: str
    modules: dict[str, str]
    gives: str


EXTRAS = (
    Extra("kinetix", {"numba": "numba"}, "the twelve Kinetix tasks and the planner"),
    Extra(
        "bench",
        {"typer": "typer", "rich": "rich", "matplotlib": "matplotlib", "pyarrow": "pyarrow"},
        "this command: studies, tables, plots, CSV and Parquet",
    ),
    Extra(
        "render",
        {"pygame": "pygame-ce", "moviepy": "moviepy", "imageio_ffmpeg": "imageio-ffmpeg", "PIL": "pillow"},
        "pictures, windows and videos: chunkenv play, ChunkOverlay, RecordTicks",
    ),
    Extra(
        "agents",
        {"jax": "jax", "flax": "flax", "optax": "optax", "safetensors": "safetensors", "filelock": "filelock"},
        "learned policies: chunkenv train, chunkenv bench rtc and charged",
    ),
    Extra(
        "vla",
        {"jax": "jax", "optax": "optax", "mujoco": "mujoco", "ogbench": "ogbench", "PIL": "pillow"},
        "a small vision-language-action model: chunkenv train vla",
    ),
    Extra(
        "manipulation",
        {"ogbench": "ogbench", "mujoco": "mujoco", "numba": "numba"},
        "the ten families of long-horizon manipulation tasks",
    ),
    Extra("course", {"psutil": "psutil", "jupytext": "jupytext"}, "assignments on latency, and their grader"),
    Extra("data", {"minari": "minari", "h5py": "h5py"}, "datasets of Minari, in and out"),
    Extra("ray", {"ray": "ray"}, "studies spread over a Ray cluster"),
    Extra(
        "remote",
        {"websockets": "websockets", "msgpack": "msgpack"},
        "policies in other processes: chunkenv serve, chunkenv bench remote",
    ),
    Extra("sb3", {"stable_baselines3": "stable-baselines3"}, "training with Stable-Baselines3"),
    Extra("box2d", {"Box2D": "box2d"}, "the Kinetix levels in another simulator"),
    Extra("kinetix-jax", {"kinetix": "kinetix-env"}, "the Kinetix levels in the reference engine, on a GPU too"),
)
"""Modules, by name, and the distributions that install them."""


def version(distribution: str) -> str:
    """The version of an installed distribution, or an empty string."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def is_installed(module: str) -> bool:
    """Whether a module could be imported; it is not."""
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # a module that stands in sys.modules without a specification, or whose import is blocked
        return False


def install_command(extra: str) -> str:
    """The command that installs an extra: of a clone that was never installed, to be run in its folder.

    >>> install_command("ray")
    'pip install "chunkenv[ray]"'
    """
    if version("chunkenv"):  # pip finds what is installed already, a clone as well, and adds to it
        return f'pip install "chunkenv[{extra}]"'
    return f'pip install -e ".[{extra}]"'


def missing_extra(what: str, extra: str) -> MissingExtraError:
    """The error of something that an extra would install.

    Args:
        what: the beginning of the sentence: what is missing, and its verb.
        extra: the name of one of `EXTRAS`.

    >>> str(missing_extra("A gif needs pillow, which is", "render"))
    'A gif needs pillow, which is not installed: run `pip install "chunkenv[render]"`.'
    """
    return MissingExtraError(f"{what} not installed: run `{install_command(extra)}`.")


def require(extra: str, *modules: str) -> None:
    """Raise one sentence that says what to install.

    Args:
        extra: the name of one of `EXTRAS`.
        *modules: what is needed, of that extra or not; all modules of the extra if not given.

    Raises:
        MissingExtraError: if one of the modules is missing.
    """
    needed = modules or next(each.modules for each in EXTRAS if each.name == extra)
    missing = [module for module in needed if not is_installed(module)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise missing_extra(f"{' and '.join(missing)} {verb}", extra)


def installed_versions(extra: Extra) -> dict[str, str]:
    """The version of each distribution of an extra, an empty string for what is missing.

    A module that another distribution has installed counts, by that one's name: pygame for pygame-ce.
    """
    found = {}
    for module, name in extra.modules.items():
        others = () if version(name) else importlib.metadata.packages_distributions().get(module, ())
        actual = next(iter(others), name)
        found[actual] = version(actual) if is_installed(module) else ""
    return found
