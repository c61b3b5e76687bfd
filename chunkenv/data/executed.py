"""The actions of a dataset as the environment got them: with the noise."""

from __future__ import annotations

import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.data.dataset_files import DataError
from chunkenv.kinetix.engine.layout import N_MOTOR_CHANNELS, N_THRUSTER_CHANNELS
from chunkenv.kinetix.level import used_channels
from chunkenv.registration import LEVELS
from chunkenv.utils.seeding import spawn

LOWEST = np.array([-1.0] * N_MOTOR_CHANNELS + [0.0] * N_THRUSTER_CHANNELS, np.float32)


def executed_actions(dataset: Dataset) -> np.ndarray:
    """The actions as they were executed, float32[T, A]: with the noise, drawn again from the episodes' seeds.

    A policy continues a prefix that is *executed* during its inference; the dataset's own actions are without the
    noise, which is not stored. Played without noise, the executed actions give the dataset's observations again, to the
    bit. Channels that drive nothing in the level stay as they are.

    Args:
        dataset: of a Kinetix level, as `collect` and `collect_plans` make it.

    Raises:
        DataError: the dataset does not name its noise or its Kinetix level, or has episodes without a seed.
    """
    level, noise = dataset.info.get("level"), dataset.info.get("noise")
    if level not in LEVELS or noise is None or (dataset.episodes.seed < 0).any():
        raise DataError(
            f"The noise of a dataset of level {level!r} (noise {noise!r}) cannot be drawn again; learn from prefixes "
            "as they were intended instead."
        )
    executed, channels, table = np.array(dataset.actions), list(used_channels(level)), dataset.episodes
    for start, length, seed in zip(table.start.tolist(), table.length.tolist(), table.seed.tolist(), strict=True):
        normal = spawn(seed, "action_noise").standard_normal((length, executed.shape[1]))
        executed[start : start + length, channels] += noise * normal[:, channels]
    return executed.clip(LOWEST, 1.0)  # as the engine does
