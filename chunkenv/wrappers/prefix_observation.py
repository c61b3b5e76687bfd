"""The request put into the observation, so that a delayed decision process is Markov for an ordinary agent."""

from __future__ import annotations

from typing import cast

import numpy as np
from gymnasium import spaces

from chunkenv.errors import ArgumentError
from chunkenv.request import Chunk, Request
from chunkenv.utils.spaces import clip, leaves, map_parts, padding
from chunkenv.utils.types import AnySpace, Observation, is_box
from chunkenv.wrappers.dict_observation import DictObservation


class PrefixObservation:
    """The observation with the prefix, its length and the delay estimate.

    The Dict has the keys 'observation' (or, if the observation is a Dict, that one's own keys), 'prefix' (a whole
    chunk: the rows beyond 'prefix_length' are filling, not a plan), 'prefix_length' and 'delay_estimate' (ticks). Its
    shape is the same for every execution horizon and delay, so that one network can be evaluated on all. Rows beyond
    the bounds of their space are shown as the bounds allow, which is what an environment that clips will execute; the
    request has them as they are.

    Args:
        observation_space: the wrapped environment's.
        chunks: the space of chunks.
        flat: one float32 Box, as `gymnasium.spaces.flatten` lays the Dict out.

    Raises:
        ArgumentError: if a Dict observation has one of the keys already, or has no flat form and `flat` is wanted.
    """

    def __init__(self, observation_space: AnySpace, chunks: AnySpace, flat: bool) -> None:
        self._filling = padding(chunks)
        horizon = np.float32((leaves(chunks)[0].shape or (0,))[0])
        added: dict[str, AnySpace] = {
            "prefix": chunks,
            "prefix_length": spaces.Box(0.0, horizon, (1,), np.float32),
            "delay_estimate": spaces.Box(0.0, np.finfo(np.float32).max, (1,), np.float32),
        }
        self._parts = DictObservation(observation_space, added, option="observe_prefix")
        self.flat = flat
        self.space: AnySpace = _flat_box(self._parts.space) if flat else self._parts.space

    def __call__(self, observation: Observation, request: Request) -> Observation:
        """The observation of `request`."""
        length, estimate = np.array([[request.prefix_length], [request.delay_estimate]], np.float32)
        parts = self.parts(observation, self._pad(request), length, estimate)
        return np.asarray(spaces.flatten(self.parts_space, parts), np.float32) if self.flat else parts

    @property
    def parts_space(self) -> spaces.Dict:
        """The space of the Dict, before it is made flat."""
        return self._parts.space

    def parts(
        self, observation: Observation, prefix: Chunk, length: np.ndarray, estimate: np.ndarray
    ) -> dict[str, Observation]:
        """The Dict of an observation, or of a batch of them; `prefix` is padded to whole chunks."""
        added = {
            "prefix": clip(self.parts_space["prefix"], prefix),
            "prefix_length": length,
            "delay_estimate": estimate,
        }
        return self._parts.join(observation, added)

    def _pad(self, request: Request) -> Chunk:
        def fill(leaf: AnySpace, filling: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return np.concatenate([rows, filling[len(rows) :]])

        return map_parts(fill, self._parts.space["prefix"], self._filling, request.prefix)


def _flat_box(space: spaces.Dict) -> spaces.Box:
    flat = cast(AnySpace, spaces.flatten_space(space))  # pyright: ignore[reportUnknownMemberType] (singledispatch)
    if not is_box(flat):
        raise ArgumentError(f"observe_prefix='flat' needs an observation with a flat Box form, not {space}; use True.")
    return spaces.Box(flat.low.astype(np.float32), flat.high.astype(np.float32), dtype=np.float32)
