"""Minari's datasets: written and read (Younis et al. 2024; https://minari.farama.org)."""

from __future__ import annotations

import copy
import importlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from chunkenv.data.dataset import Dataset, empty_folder, write_episodes
from chunkenv.data.dataset_files import DataError, Info
from chunkenv.data.episodes import Episode
from chunkenv.data.saved_frames import SavedFrames
from chunkenv.errors import ArgumentError, brief
from chunkenv.registration import environment_of
from chunkenv.utils.extras import missing_extra
from chunkenv.utils.infos import SUCCESS_KEYS, reported_success

OURS = "chunkenv"
"""The key in Minari's metadata under which our own is kept."""


def to_minari(dataset: Dataset, dataset_id: str, frames: SavedFrames | None = None, **metadata: Any) -> Any:
    """Write a dataset as one of Minari's, among its local ones.

    Expert and success of an episode are kept as attributes of its group, seeds as Minari's own, and `info` in the
    metadata, so that `from_minari` restores every bit. `recover_environment(eval_env=True)` makes the environment;
    without the argument, too, if no noise was added to the actions of the data.

    Args:
        dataset: what `load` returned.
        dataset_id: of Minari: `name-v0`, or `namespace/name-v0`.
        frames: of the dataset: then an observation is a dict, "observation" and "pixels", and each episode has its
            "instruction" as an attribute. `from_minari` does not read such datasets.
        **metadata: what Minari also takes: author, author_email, code_permalink, algorithm_name,
            description.

    Returns:
        The `minari.MinariDataset`.

    Raises:
        ArgumentError: there is such a dataset already, or Minari refuses the name.
        MissingExtraError: Minari is not installed, or what the dataset's environment needs is not.
    """
    minari, spec = _import_minari(), _environment_spec(dataset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Minari warns of all metadata that is not given
        try:
            written = minari.create_dataset_from_buffers(
                dataset_id,
                list(_buffers(dataset, frames)),
                env=None if dataset.info.get("noise") else spec,  # the environment of these episodes added noise
                eval_env=spec,
                observation_space=_observation_space(dataset, frames),
                action_space=_space(dataset.actions),
                **({} if frames is None else {"jpeg_encoding": False}),  # Minari's default changes the frames
                **metadata,
            )
        except ValueError as error:
            raise ArgumentError(f"Minari does not take the dataset_id {dataset_id!r}: {error}") from error
    table = dataset.episodes
    own = zip(table.success.tolist(), table.expert.tolist(), strict=True)
    said = [{"instruction": one} for one in frames.instructions] if frames else [{} for _ in table.success]
    written.storage.update_episode_metadata(
        [{"success": success, "expert": expert, **more} for (success, expert), more in zip(own, said, strict=True)]
    )
    written.storage.update_metadata({OURS: json.dumps(dataset.info)})
    return written


def from_minari(source: Any, out: str | Path) -> Dataset:
    """Write a dataset of Minari's in the plain form.

    Observations and actions must be vectors of floats, and every episode must have an observation after its last step.
    What a foreign dataset does not have gets a default: `expert` 0; `success`, whether the infos of any step report it
    (`success` or `is_success`), False if none says; `seed` -1.

    Args:
        source: a `minari.MinariDataset`, or the id of a local one.
        out: the folder for it, empty or not there.

    Raises:
        ArgumentError: there is no such dataset, or the folder is not empty.
        DataError: the dataset has no episodes or other kinds of spaces, or an episode's columns do not fit one another;
            nothing is written.
        MissingExtraError: Minari is not installed.
    """
    minari, folder = _import_minari(), empty_folder(out)
    if isinstance(source, str):
        try:
            source = minari.load_dataset(source)
        except (FileNotFoundError, ValueError) as error:
            raise ArgumentError(f"There is no local Minari dataset {source!r} ({error}).") from error
    if not isinstance(source, minari.MinariDataset):
        raise ArgumentError(f"source={brief(source)} is no dataset of Minari's; give one, or the id of a local one.")
    for name in ("observation_space", "action_space"):
        _expect_vectors(name, getattr(source, name))
    info = _info(source)
    return write_episodes(folder, _episodes(source, OURS in source.storage.metadata), info, _numbers(source))


def _import_minari() -> Any:
    try:
        return importlib.import_module("minari")
    except ImportError as error:
        raise missing_extra("minari is", "data") from error


def _observation_space(dataset: Dataset, frames: SavedFrames | None) -> spaces.Space[Any]:
    vectors = _space(dataset.observations)
    if frames is None:
        return vectors
    return spaces.Dict({"observation": vectors, "pixels": spaces.Box(0, 255, frames.read([0]).shape[1:], np.uint8)})


def _observations(dataset: Dataset, episode: int, frames: SavedFrames | None) -> Any:
    """The observations of an episode, one more than its actions."""
    table = dataset.episodes
    ticks = slice(int(table.start[episode]), int(table.start[episode]) + int(table.length[episode]))
    vectors = np.concatenate([dataset.observations[ticks], table.final_observation[episode][None]])
    return vectors if frames is None else {"observation": vectors, "pixels": frames.of_episode(dataset, episode)}


def _buffers(dataset: Dataset, frames: SavedFrames | None) -> Iterator[Any]:
    """An `EpisodeBuffer` for each episode; observations are one more than actions."""
    table = dataset.episodes
    for index, (start, length) in enumerate(zip(table.start.tolist(), table.length.tolist(), strict=True)):
        ticks = slice(start, start + length)
        yield _import_minari().data_collector.EpisodeBuffer(
            seed=int(table.seed[index]) if table.seed[index] >= 0 else None,
            observations=_observations(dataset, index, frames),
            actions=dataset.actions[ticks],  # pyright: ignore[reportArgumentType] (it takes arrays too)
            rewards=dataset.rewards[ticks],  # pyright: ignore[reportArgumentType]
            terminations=dataset.terminated[ticks],  # pyright: ignore[reportArgumentType]
            truncations=dataset.truncated[ticks],  # pyright: ignore[reportArgumentType]
        )


def _environment_spec(dataset: Dataset) -> EnvSpec | None:
    """The specification of the environment of the dataset, if it is one of ours."""
    made = environment_of(dataset.info)
    if made is None:
        return None
    spec = copy.copy(gym.spec(made.id))  # the registry keeps its own
    spec.kwargs = {**spec.kwargs, **made.arguments}
    return spec


def _space(column: np.ndarray) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, column.shape[1:], column.dtype.type)


def _expect_vectors(name: str, space: Any) -> None:
    if not (isinstance(space, spaces.Box) and len(space.shape) == 1 and np.issubdtype(space.dtype, np.floating)):
        raise DataError(f"The dataset's {name} is {space}, but the plain form takes vectors of floats only.")


def _numbers(source: Any) -> list[int]:
    """Minari's own numbers of the episodes: a filtered dataset has gaps."""
    return [int(number) for number in source.episode_indices]


def _episodes(source: Any, ours: bool) -> list[Episode]:
    try:
        metadata = list(source.storage.get_episode_metadata(source.episode_indices))
        return [_episode(data, about, ours) for data, about in zip(source, metadata, strict=True)]
    except (OSError, KeyError, AssertionError) as error:
        raise DataError(f"The Minari dataset is damaged ({error!r}); download or record it again.") from error


def _episode(data: Any, about: Info, ours: bool) -> Episode:
    """An episode of Minari's as one of ours."""
    _expect_ends(data)
    seed = about.get("seed")
    return Episode(
        observations=data.observations,
        actions=data.actions,
        rewards=data.rewards,
        terminated=bool(len(data.rewards) and data.terminations[-1]),
        success=_success(data) if (told := reported_success(about)) is None else told,
        expert=int(about.get("expert", 0)) if ours else 0,
        seed=-1 if seed is None else int(seed),
    )


def _expect_ends(data: Any) -> None:
    """Refuse an episode that has not a flag for each step, or goes on after an end."""
    ticks = len(data.rewards)
    for name in ("terminations", "truncations"):
        flags = np.asarray(getattr(data, name))
        if flags.shape != (ticks,):
            raise DataError(f"Episode {data.id} has {name} of shape {list(flags.shape)}, but {ticks} rewards; fix it.")
        if (early := np.flatnonzero(flags[:-1])).size:
            raise DataError(
                f"Episode {data.id} has an end in step {early[0]} ({name}), but goes on to step {ticks - 1}; split it."
            )


def _success(data: Any) -> bool:
    """Whether the infos of any step report success, as `chunkenv.evaluate` asks; the reset's may stand before them."""
    infos, ticks = data.infos or {}, len(data.rewards)
    columns = {key: infos[key] for key in SUCCESS_KEYS if key in infos}
    for key, column in columns.items():
        if len(column) not in (ticks, ticks + 1):
            raise DataError(f"Episode {data.id} has {len(column)} infos {key!r}, but {ticks} rewards; fix it.")
    steps = range(-ticks, 0)
    return any(reported_success({key: column[step] for key, column in columns.items()}) for step in steps)


def _info(source: Any) -> Info:
    """The `info` that the dataset was written with, or what is known of a foreign one."""
    metadata = source.storage.metadata
    if OURS in metadata:
        return json.loads(metadata[OURS])
    name = metadata.get("dataset_id", "minari")
    return {"level": None, "observation": None, "experts": [{"name": name}], "noise": None, "seed": None, "command": ""}
