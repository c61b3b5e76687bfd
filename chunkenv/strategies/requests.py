"""Requests in batches: one as a batch of one, a row of a batch as one, and what is read from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ArgumentError, brief
from chunkenv.request import Chunk, Pending, Request, VectorPending, VectorRequest
from chunkenv.utils.spaces import read_array
from chunkenv.utils.types import is_list, is_mapping

Tree: TypeAlias = Any
"""An array, or dicts and tuples of arrays: observations or chunks."""


def map_arrays(function: Callable[..., Tree], *trees: Tree) -> Tree:
    """`function` of every array of nested observations or chunks of one structure.

    A tuple of sentences, as a vector environment gives a batch of `gymnasium.spaces.Text`, is an array of them.

    >>> map_arrays(np.negative, {"arm": np.array([1, 2]), "grip": (np.array(3),)})
    {'arm': array([-1, -2]), 'grip': (np.int64(-3),)}
    """
    first = trees[0]
    if is_mapping(first):
        return {key: map_arrays(function, *(tree[key] for tree in trees)) for key in first}
    if _is_sentences(first):
        return function(*(np.array(tree) for tree in trees))
    if is_list(first, tuple):
        return tuple(map_arrays(function, *parts) for parts in zip(*trees, strict=True))
    return function(*trees)


def _is_sentences(tree: Tree) -> bool:
    return is_list(tree, tuple) and len(tree) > 0 and all(isinstance(each, str) for each in tree)


def read_chunks(chunks: object) -> np.ndarray:
    """What a policy returned for a batch of requests, as an array.

    Raises:
        ActionError: it cannot be read as one.
    """
    return read_array(chunks, "batch of chunks", "real numbers [N, H, A]")


def stack(items: Sequence[Tree]) -> Tree:
    """Observations, or chunks of equal length, as one batch."""
    return map_arrays(_stack_arrays, *items)


def _stack_arrays(*parts: np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(part) for part in parts])


def stack_requests(requests: Sequence[Request], rows: int = 0) -> VectorRequest:
    """Requests of environments of one execution horizon, as one.

    Args:
        requests: at least one, all with the same choices of horizons and delays.
        rows: make room for at least so many rows in `prefix` and `left_over`: the prediction horizon.

    Returns:
        The batch; what fills up the rows is zero. `rng` is a tuple, or None if a request has none; `pending` is None if
        no request has any.

    >>> one = Request(4, np.ones((1, 2)), 1, 1, 4, np.ones((2, 2)), np.random.default_rng(0))
    >>> batch = stack_requests([one], rows=3)
    >>> batch.left_over[0].tolist(), batch.left_over_length
    ([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]], array([2]))
    """
    left_over = [request.left_over for request in requests]
    lengths = np.array([_count_rows(plan) for plan in left_over], np.int64)
    rows = max(rows, *lengths)
    generators = tuple(request.rng for request in requests if request.rng is not None)
    return VectorRequest(
        tick=np.array([request.tick for request in requests], np.int64),
        prefix=_fill_up([request.prefix for request in requests], rows),
        prefix_length=np.array([request.prefix_length for request in requests], np.int64),
        delay_estimate=np.array([request.delay_estimate for request in requests], np.int64),
        execution_horizon=requests[0].execution_horizon,
        left_over=_fill_up(left_over, rows),
        left_over_length=lengths,
        rng=generators if len(generators) == len(requests) else None,
        pending=_stack_pending(requests),
        horizons=requests[0].horizons,
        delays=requests[0].delays,
    )


def request_of(request: VectorRequest, index: int) -> Request:
    """The request of one environment of a batch: real rows only."""
    return Request(
        tick=int(request.tick[index]),
        prefix=map_arrays(itemgetter((index, slice(request.prefix_length[index]))), request.prefix),
        prefix_length=int(request.prefix_length[index]),
        delay_estimate=int(request.delay_estimate[index]),
        execution_horizon=request.execution_horizon,
        left_over=map_arrays(itemgetter((index, slice(request.left_over_length[index]))), request.left_over),
        rng=None if request.rng is None else request.rng[index],
        pending=() if request.pending is None else _pending_of(request.pending, index),
        horizons=request.horizons,
        delays=request.delays,
    )


def repeat(batch: Tree, times: int) -> Tree:
    """Every row of a batch of observations `times` times, one after the other."""

    def repeat_array(part: np.ndarray) -> np.ndarray:
        return np.repeat(part, times, axis=0)

    return map_arrays(repeat_array, batch)


def repeat_request(request: VectorRequest, times: int, generators: Sequence[np.random.Generator]) -> VectorRequest:
    """Every request of a batch `times` times: those of one environment share its generator."""
    return VectorRequest(
        tick=repeat(request.tick, times),
        prefix=repeat(request.prefix, times),
        prefix_length=repeat(request.prefix_length, times),
        delay_estimate=repeat(request.delay_estimate, times),
        execution_horizon=request.execution_horizon,
        left_over=repeat(request.left_over, times),
        left_over_length=repeat(request.left_over_length, times),
        rng=tuple(rng for rng in generators for _ in range(times)),
        pending=None if request.pending is None else VectorPending(*(repeat(part, times) for part in request.pending)),
        horizons=request.horizons,
        delays=request.delays,
        playing=None if request.playing is None else repeat(request.playing, times),
    )


def generators_of(request: VectorRequest, strategy: str) -> tuple[np.random.Generator, ...]:
    """The random streams of a batch, one of each episode.

    Raises:
        ArgumentError: if there are none, or not one for each request; the sentence names the strategy.
    """
    rngs: object = request.rng
    count = len(request.tick)
    if not is_list(rngs) or len(rngs) != count or not all(isinstance(rng, np.random.Generator) for rng in rngs):
        raise ArgumentError(
            f"The request has rng={brief(rngs)}, but {strategy} draws from it: give one numpy Generator for each of "
            f"the {count} episodes, as chunkenv.evaluate does: request._replace(rng=...)."
        )
    return tuple(rngs)


def draw_noise(generators: tuple[np.random.Generator, ...], rows: int, action_size: int) -> NDArray[np.float32]:
    """Standard Gaussian noise, float32[N, rows, A], each chunk's from its own generator, on the host.

    So the draws are the same for every framework, method and size of the batch.
    """
    return np.stack([rng.standard_normal((rows, action_size), np.float32) for rng in generators])


def real_rows(lengths: NDArray[np.integer], rows: int) -> NDArray[np.bool_]:
    """Which rows are real and not filling, bool[N, rows], of N plans with so many real rows.

    >>> real_rows(np.array([1, 0]), 2).tolist()
    [[True, False], [False, False]]
    """
    return np.arange(rows) < lengths[:, None]


def plan_left(request: VectorRequest, prediction_horizon: int, action_size: int) -> NDArray[np.float32]:
    """What is left of the previous chunks, float32[N, H, A]; filling is set to zero.

    Raises:
        ArgumentError: if the environments' actions or chunks are not those that the policy makes.
    """
    left_over = np.asarray(request.left_over, np.float32)
    count, rows = left_over.shape[:2]
    if left_over.shape[2:] != (action_size,) or rows > prediction_horizon:
        raise ArgumentError(
            f"The environment's chunks have {rows} rows or more, each of shape {left_over.shape[2:]}, but the policy "
            f"makes {prediction_horizon} rows of shape {(action_size,)}: give both the same prediction horizon and "
            "actions."
        )
    plan = np.zeros((count, prediction_horizon, action_size), np.float32)
    plan[:, :rows] = left_over
    plan[~real_rows(request.left_over_length, prediction_horizon)] = 0.0
    return plan


def _stack_pending(requests: Sequence[Request]) -> VectorPending | None:
    """The chunks in flight of requests, filled up to the most that one has; None if there are none."""
    slots = max(len(request.pending) for request in requests)
    if not slots:
        return None
    some = next(pending.chunk for request in requests for pending in request.pending)
    blank = Pending(map_arrays(np.zeros_like, some), 0)
    rows = [(*request.pending, *[blank] * (slots - len(request.pending))) for request in requests]
    return VectorPending(
        stack([stack([pending.chunk for pending in row]) for row in rows]),
        np.array([[slot < len(request.pending) for slot in range(slots)] for request in requests]),
        np.array([[pending.age for pending in row] for row in rows], np.int64),
    )


def _pending_of(pending: VectorPending, index: int) -> tuple[Pending, ...]:
    """The chunks in flight of one environment of a batch."""
    places = np.flatnonzero(pending.mask[index]).tolist()
    return tuple(
        Pending(map_arrays(itemgetter((index, place)), pending.chunks), int(pending.ages[index, place]))
        for place in places
    )


def _count_rows(plan: Chunk) -> int:
    """The number of rows of a nested plan."""
    if is_mapping(plan):
        return _count_rows(next(iter(plan.values())))
    return _count_rows(plan[0]) if is_list(plan, tuple) else len(plan)


def _fill_up(plans: Sequence[Chunk], rows: int) -> Chunk:
    """Plans of different lengths as one batch [N, rows, ...], zeros behind them."""

    def fill_arrays(*parts: np.ndarray) -> np.ndarray:
        arrays = [np.asarray(part) for part in parts]
        batch = np.zeros((len(arrays), rows, *arrays[0].shape[1:]), arrays[0].dtype)
        for row, array in zip(batch, arrays, strict=True):
            row[: len(array)] = array
        return batch

    return map_arrays(fill_arrays, *plans)
