"""What callers do between two decisions, by accident or on purpose."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from chunkenv.request import Chunk
from chunkenv.testing.expect import expect, skip
from chunkenv.testing.random_rollouts import parts_of, read_request
from chunkenv.utils.spaces import map_parts
from chunkenv.utils.types import AnyEnv, AnySpace


def overwrite(chunk: Chunk) -> None:
    """Write other numbers into a chunk, as a caller does that reuses its array."""
    for part in parts_of(chunk):
        if isinstance(part, np.ndarray) and part.flags.writeable:
            part[...] = part + 1 if part.dtype != bool else ~part


def overwrite_request(env: AnyEnv) -> None:
    """Write other numbers into what the request shows of the previous chunk."""
    request = read_request(env)
    overwrite(request.prefix)
    overwrite(request.left_over)


def expect_chunk_refused(env: AnyEnv, damage: Callable[[AnySpace, Chunk], Chunk]) -> None:
    """Fail unless a random chunk is refused after `damage`."""
    space = copy.deepcopy(env.action_space)  # so that the rollout's own random chunks stay the same
    chunk = damage(space, space.sample())
    try:
        env.step(chunk)
    except Exception:
        return
    expect(False, f"the chunk {chunk!r} was executed; expected an error, since it is no member of {space}.")


def expect_reset_needed(env: AnyEnv, when: str) -> None:
    """Fail unless a step is refused because a reset is needed."""
    try:
        env.step(env.action_space.sample())
    except ResetNeeded:
        return
    except Exception as error:
        raise AssertionError(f"a step {when} raised {error!r}; expected gymnasium.error.ResetNeeded.") from error
    expect(False, f"a step {when} was played; expected gymnasium.error.ResetNeeded.")


def cut_short(space: AnySpace, chunk: Chunk) -> Chunk:
    """The chunk with its last row missing (its last number, if it is flat)."""
    return map_parts(lambda leaf, array: array[:-1], space, chunk)


def corrupt(space: AnySpace, chunk: Chunk) -> Chunk:
    """The chunk with NaN, or a number that the discrete space does not have, in its last row."""
    return map_parts(_corrupt_part, space, chunk)


def _corrupt_part(leaf: AnySpace, array: np.ndarray) -> np.ndarray:
    wrong = array.copy()
    wrong.flat[-1] = np.nan if array.dtype.kind == "f" else _beyond(leaf)
    return wrong


def _beyond(leaf: AnySpace) -> int:
    """The least number that the last place of a discrete part does not have."""
    if isinstance(leaf, spaces.MultiDiscrete):
        return int((leaf.start + leaf.nvec).flat[-1])
    beyond = int(leaf.high.flat[-1]) + 1 if isinstance(leaf, spaces.Box) else 2
    if beyond > np.iinfo(leaf.dtype).max:  # pyright: ignore[reportArgumentType]
        skip(f"a chunk of {leaf} cannot hold a number out of range.")
    return beyond
