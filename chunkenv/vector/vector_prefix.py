"""The request put into the observations of N environments."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import iterate

from chunkenv.request import Chunk, VectorPending
from chunkenv.utils.spaces import leaves
from chunkenv.utils.types import AnySpace, Observation
from chunkenv.wrappers.prefix_observation import PrefixObservation


class VectorPrefixObservation:
    """The observations of N environments with prefix, its length and the delay estimate.

    Args:
        single: what does it for one environment; the results are equal to the bit.
        batch: the space of N of its Dicts.

    Attributes:
        space: of one environment's observations.
    """

    def __init__(self, single: PrefixObservation, batch: AnySpace) -> None:
        self.space = single.space
        self._single, self._batch = single, batch
        self._all_boxes = all(isinstance(leaf, spaces.Box) for leaf in leaves(single.parts_space))

    def __call__(
        self,
        observations: Observation,
        prefixes: Chunk,
        lengths: np.ndarray,
        estimates: np.ndarray,
        pending: VectorPending | None = None,
    ) -> Observation:
        """The observations of requests with these prefixes, their lengths and delay estimates, batched."""
        length, estimate = lengths.astype(np.float32)[:, None], estimates.astype(np.float32)[:, None]
        parts = self._single.parts(observations, prefixes, length, estimate, _as_parts(pending))
        return self._flat(parts) if self._single.flat else parts

    def _flat(self, parts: dict[str, Observation]) -> np.ndarray:
        space = self._single.parts_space
        if self._all_boxes:
            return np.concatenate(_columns(space, parts), axis=1).astype(np.float32)
        return np.stack([np.asarray(spaces.flatten(space, one), np.float32) for one in iterate(self._batch, parts)])


def _as_parts(pending: VectorPending | None) -> dict[str, Observation]:
    """What is in flight, as the observations name it."""
    if pending is None:
        return {}
    mask, age = pending.mask.astype(np.float32), pending.ages.astype(np.float32)
    return {"pending": pending.chunks, "pending_mask": mask, "pending_age": age}


def _columns(space: AnySpace, batch: Observation) -> list[np.ndarray]:
    """The parts of a batch as gymnasium's `flatten` orders them, each [N, size]."""
    if isinstance(space, spaces.Dict):
        return [column for key, part in space.spaces.items() for column in _columns(part, batch[key])]
    if isinstance(space, spaces.Tuple):
        pairs = zip(space.spaces, batch, strict=True)
        return [column for part, value in pairs for column in _columns(part, value)]
    return [batch.reshape(len(batch), -1)]
