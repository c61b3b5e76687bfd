"""What the episodes of a dataset were to achieve, in words: their first ticks are made again, nothing is played."""

from __future__ import annotations

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.data.dataset import Dataset
from chunkenv.data.dataset_files import DataError
from chunkenv.manipulation.vector_env import ManipulationVectorEnv
from chunkenv.manipulation.words import WordGoal, open_goals, parse_instruction
from chunkenv.registration import environment_of, find_task


def read_goals(dataset: Dataset) -> list[WordGoal]:
    """The goal of each episode; `chunkenv.manipulation.words.say_goal` says it in any wording.

    Args:
        dataset: of manipulation, whose episodes were played for a goal: not with `--style play`.

    Raises:
        DataError: it is no such dataset, or an episode begins otherwise on this machine.
    """
    made = environment_of(dataset.info)
    task = find_task(made.id) if made else None
    if made is None or task is None or task.family is None or (dataset.episodes.seed < 0).any():
        raise DataError(
            f"The dataset is of level {dataset.info.get('level')!r} and its episodes have no goals in words; collect "
            "some with `chunkenv data collect cube-single --goals train --style task`."
        )
    styles = {expert.get("style", "task") for expert in dataset.info["experts"]}
    if styles != {"task"}:
        raise DataError(
            f"The dataset was played in the style {min(styles - {'task'})!r}, which is for no goal; collect one with "
            "--style task."
        )
    envs = ManipulationVectorEnv(
        task.family, task.number, num_envs=1, threads=1, autoreset_mode=AutoresetMode.DISABLED, **made.arguments
    )
    return [_read_goal(envs, task.family, dataset, episode) for episode in range(len(dataset.episodes.length))]


def _read_goal(envs: ManipulationVectorEnv, family: str, dataset: Dataset, episode: int) -> WordGoal:
    table = dataset.episodes
    observation, infos = envs.reset(seed=[int(table.seed[episode])])
    features = observation["observation"] if isinstance(observation, dict) else observation
    if not np.array_equal(features[0], dataset.observations[int(table.start[episode])]):
        raise DataError(
            f"Episode {episode} begins otherwise on this machine, so that its goal is not known; collect the data "
            "again."
        )
    if "instruction" in infos:
        return parse_instruction(family, infos["instruction"][0])
    return open_goals(envs.facts(0))
