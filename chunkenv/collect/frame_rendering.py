"""Frames for episodes of manipulation: they are played again, and what a camera sees is written beside the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.data.dataset import Dataset, load
from chunkenv.data.dataset_files import DataError
from chunkenv.data.saved_frames import SavedFrames, write_frames
from chunkenv.manipulation.scene.state_pictures import View, check_view, open_painter
from chunkenv.manipulation.vector_env import ManipulationVectorEnv
from chunkenv.manipulation.words import WORDINGS, open_goals, say_goal
from chunkenv.registration import environment_of, find_task
from chunkenv.utils.seeding import spawn


def render_frames(
    folder: str | Path,
    camera: str = View().camera,
    image_size: int = View().size,
    geometry: str = View().geometry,
    progress: Callable[[int, int], object] | None = None,
) -> SavedFrames:
    """Play the episodes of a dataset again and keep what a camera sees, with an instruction for each episode.

    Args:
        folder: of a dataset of manipulation that the oracle played.
        camera: this and the next two: as `ManipulationEnv` has them.
        image_size: width and height of a frame in pixels.
        geometry: of the meshes.
        progress: called with the numbers of episodes and ticks that are done.

    Raises:
        ArgumentError: an unknown camera, size or geometry.
        DataError: it is no such dataset, or comes out otherwise when it is played again.
        MissingExtraError: there is no way to draw on this machine, or pillow is not installed.
    """
    dataset, view = load(folder), check_view(camera, image_size, geometry)
    instructions: list[str] = []
    frames = _see_all(dataset, view, instructions, progress or (lambda *_: None))
    return write_frames(folder, frames, instructions, view._asdict())


def _see_all(
    dataset: Dataset, view: View, instructions: list[str], progress: Callable[[int, int], object]
) -> Iterator[np.ndarray]:
    made = environment_of(dataset.info)
    task = find_task(made.id) if made else None
    if made is None or task is None or task.family is None or (dataset.episodes.seed < 0).any():
        raise DataError(
            f"The dataset is of level {dataset.info.get('level')!r} and has no episodes of manipulation that can be "
            "played again; collect some with `chunkenv data collect`."
        )
    envs = ManipulationVectorEnv(
        task.family, task.number, threads=1, autoreset_mode=AutoresetMode.DISABLED, **made.arguments
    )
    painter, done = open_painter(task.family, view), 0
    for episode in range(len(dataset.episodes.length)):
        seen = _play_again(envs, dataset, episode)
        instructions.append(_instruction(envs, task.family, next(seen), int(dataset.episodes.seed[episode])))
        yield painter.frame(envs.get_states()[0])
        for _ in seen:
            yield painter.frame(envs.get_states()[0])
        done += int(dataset.episodes.length[episode])
        progress(episode + 1, done)


def _play_again(envs: ManipulationVectorEnv, dataset: Dataset, episode: int) -> Iterator[str]:
    """Yield after the reset, with the instruction that its info has, and after each tick."""
    table = dataset.episodes
    first, length = int(table.start[episode]), int(table.length[episode])
    observation, infos = envs.reset(seed=[int(table.seed[episode])])
    rows = [*dataset.observations[first : first + length], table.final_observation[episode]]
    _expect_same(observation, rows[0], episode, 0)
    yield infos["instruction"][0] if "instruction" in infos else ""
    for tick in range(length):
        playback = envs.play(dataset.actions[first + tick][None, None], np.ones(1, np.int64))
        _expect_same(playback.observations, rows[tick + 1], episode, tick + 1)
        yield ""


def _expect_same(observations: np.ndarray | dict[str, np.ndarray], row: np.ndarray, episode: int, tick: int) -> None:
    features = observations["observation"] if isinstance(observations, dict) else observations
    if not np.array_equal(features[0], row):
        raise DataError(
            f"Episode {episode} comes out otherwise: its observation differs in tick {tick}. Data of another kind of "
            "machine, or of another version, cannot be rendered here; collect them again."
        )


def _instruction(envs: ManipulationVectorEnv, family: str, said: str, seed: int) -> str:
    """What the info of the reset says; else the task in words, in a wording of "train" that the seed draws."""
    if said:
        return said
    wording = int(spawn(seed, "policy").choice(WORDINGS["train"]))
    return say_goal(family, open_goals(envs.facts(0)), wording)
