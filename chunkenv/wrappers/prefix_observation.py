"""The request put into the observation, so that a delayed decision process is Markov for an ordinary agent."""

from __future__ import annotations

from typing import cast

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

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

    Where several inferences may be in flight there are also 'pending' (the chunks in flight [k-1, H, ...], newest
    first, then filling), 'pending_mask' (1.0 for each that is one) and 'pending_age' (ticks since their requests, 0
    beyond).

    Args:
        observation_space: the wrapped environment's.
        chunks: the space of chunks.
        flat: one float32 Box, as `gymnasium.spaces.flatten` lays the Dict out.
        slots: chunks that may be in flight at a request, k - 1.

    Raises:
        ArgumentError: if a Dict observation has one of the keys already, or has no flat form and `flat` is wanted.
    """

    slots = 0  # pickles of earlier versions know no more

    def __init__(self, observation_space: AnySpace, chunks: AnySpace, flat: bool, slots: int = 0) -> None:
        self._filling = padding(chunks)
        horizon = np.float32((leaves(chunks)[0].shape or (0,))[0])
        added: dict[str, AnySpace] = {
            "prefix": chunks,
            "prefix_length": spaces.Box(0.0, horizon, (1,), np.float32),
            "delay_estimate": spaces.Box(0.0, np.finfo(np.float32).max, (1,), np.float32),
        }
        self.slots = slots
        if slots:
            added |= {
                "pending": batch_space(chunks, slots),
                "pending_mask": spaces.Box(0.0, 1.0, (slots,), np.float32),
                "pending_age": spaces.Box(0.0, np.finfo(np.float32).max, (slots,), np.float32),
            }
        self._parts = DictObservation(observation_space, added, option="observe_prefix")
        self.flat = flat
        self.space: AnySpace = _flat_box(self._parts.space) if flat else self._parts.space

    def __call__(self, observation: Observation, request: Request) -> Observation:
        """The observation of `request`."""
        length, estimate = np.array([[request.prefix_length], [request.delay_estimate]], np.float32)
        parts = self.parts(observation, self._pad(request), length, estimate, self._pending(request))
        return np.asarray(spaces.flatten(self.parts_space, parts), np.float32) if self.flat else parts

    @property
    def parts_space(self) -> spaces.Dict:
        """The space of the Dict, before it is made flat."""
        return self._parts.space

    def parts(
        self,
        observation: Observation,
        prefix: Chunk,
        length: np.ndarray,
        estimate: np.ndarray,
        pending: dict[str, Observation] | None = None,
    ) -> dict[str, Observation]:
        """The Dict of an observation, or of a batch of them; `prefix` is padded to whole chunks."""
        added = {
            "prefix": clip(self.parts_space["prefix"], prefix),
            "prefix_length": length,
            "delay_estimate": estimate,
        }
        if pending:
            added |= {**pending, "pending": clip(self.parts_space["pending"], pending["pending"])}
        return self._parts.join(observation, added)

    def _pending(self, request: Request) -> dict[str, Observation]:
        """What is in flight, filled up."""
        if not self.slots:
            return {}
        chunks = [each.chunk for each in request.pending]
        chunks += [self._filling] * (self.slots - len(chunks))
        mask, age = np.zeros((2, self.slots), np.float32)
        mask[: len(request.pending)] = 1.0
        age[: len(request.pending)] = [each.age for each in request.pending]
        space = self._parts.space["prefix"]
        stacked = concatenate(space, chunks, create_empty_array(space, self.slots))
        return {"pending": stacked, "pending_mask": mask, "pending_age": age}

    def _pad(self, request: Request) -> Chunk:
        def fill(leaf: AnySpace, filling: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return np.concatenate([rows, filling[len(rows) :]])

        return map_parts(fill, self._parts.space["prefix"], self._filling, request.prefix)


def _flat_box(space: spaces.Dict) -> spaces.Box:
    flat = cast(AnySpace, spaces.flatten_space(space))  # pyright: ignore[reportUnknownMemberType] (singledispatch)
    if not is_box(flat):
        raise ArgumentError(f"observe_prefix='flat' needs an observation with a flat Box form, not {space}; use True.")
    return spaces.Box(flat.low.astype(np.float32), flat.high.astype(np.float32), dtype=np.float32)
