"""What the world really got: the actions of a dataset with the noise that was put on top of them."""

from __future__ import annotations

import numpy as np

from chunkenv.data.dataset import Dataset
from chunkenv.data.dataset_files import DataError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.layout import N_MOTOR_CHANNELS, N_THRUSTER_CHANNELS
from chunkenv.kinetix.level import used_channels
from chunkenv.utils.seeding import Stream

LOWEST = np.array([-1.0] * N_MOTOR_CHANNELS + [0.0] * N_THRUSTER_CHANNELS, np.float32)


def executed_actions(dataset: Dataset) -> np.ndarray:
    """The actions as they were executed, float32[T, A]: with the noise, which the episodes' seeds bring back.

    A prefix that a policy is to go on from is what *happens* while it thinks; the dataset's own actions are what an
    expert *answered* to noise that nobody kept. Played without noise, these actions give the dataset's observations
    again, to the bit. Channels that drive nothing in the level stay as they are.

    Args:
        dataset: of a Kinetix level, as `collect` and `collect_plans` make it.

    Raises:
        DataError: it is not said which noise there was, or of which level the data are.
    """
    level, noise = dataset.info.get("level"), dataset.info.get("noise")
    if level not in LEVELS or noise is None or (dataset.episodes.seed < 0).any():
        raise DataError(
            f"The noise of a dataset of level {level!r} (noise {noise!r}) cannot be brought back; learn from prefixes "
            "as they were intended instead."
        )
    executed, channels, table = np.array(dataset.actions), list(used_channels(level)), dataset.episodes
    for start, length, seed in zip(table.start.tolist(), table.length.tolist(), table.seed.tolist(), strict=True):
        drawn = Stream("action_noise").begin(seed).standard_normal((length, executed.shape[1]))
        executed[start : start + length, channels] += noise * drawn[:, channels]
    return executed.clip(LOWEST, 1.0)  # as the engine does
