"""Ask the policy at the state in which its chunk will begin to act, as a model of the world predicts it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ArgumentError, brief
from chunkenv.request import Chunk, Policy, VectorRequest
from chunkenv.strategies.requests import read_chunks
from chunkenv.strategies.strategy import Strategy, ask
from chunkenv.utils.types import Observation


class WorldModel(Protocol):
    """A model of the world, for many environments at once."""

    def predict(self, observations: Observation, prefix: Chunk, prefix_length: NDArray[np.int64]) -> Observation:
        """What the policy would observe after some ticks.

        Args:
            observations: of the environments, [N, ...].
            prefix: [N, T, A], the actions of the ticks to come.
            prefix_length: int64[N], how many of them are played; with 0 it only makes the policy's observation of the
                environment's. What stands behind them is filling, whatever its values.

        Returns:
            Observations for the policy, [N, ...]; row i depends on row i alone.
        """
        ...


class PredictedState(Strategy[Policy]):
    """Plays the prefix in a model of the world, asks the policy there, and places its rows behind the prefix.

    The first rows of a chunk are the prefix again; row d + i is row i of the policy, where d is the length of the
    prefix, so that the policy's last d rows are left out. The policy is asked as if there were no delay: its request
    has the tick at which its rows begin, no prefix, and what is left behind the prefix. Where nothing is random and the
    model is right, this is asking without delay, d ticks later.

    With the engine itself for a model (`chunkenv.kinetix.EngineModel`) it is an upper bound for what prediction can
    bring: no robot has such a model. Re-made by others with the released policies of Real-Time Chunking's study, it
    solves 90.6, 87.2, 82.4 and 75.3 % at delays of 1 to 4 ticks (papadoster/jit-reflex, `pred`).

    Args:
        policy: anything with `infer`, whose chunks are arrays [H, A].
        model: a `WorldModel`.

    Raises:
        ArgumentError: the policy or the model lacks its method.

    >>> from types import SimpleNamespace
    >>> from chunkenv import Request
    >>> count_on = SimpleNamespace(predict=lambda observations, prefix, lengths: observations + lengths[:, None])
    >>> repeating = SimpleNamespace(infer=lambda observation, request: np.full((4, 1), observation[0]))
    >>> plan = np.array([[7.0], [8.0]])
    >>> request = Request(4, plan, 2, 2, 4, plan)
    >>> PredictedState(repeating, count_on).infer(np.array([1.0]), request)[:, 0].tolist()
    [7.0, 8.0, 3.0, 3.0]
    """

    def __init__(self, policy: Policy, model: WorldModel) -> None:
        super().__init__(policy)
        self.model = check_model(model, type(self).__name__)

    def infer_batch(self, observations: Observation, request: VectorRequest) -> np.ndarray:
        """The chunks for many requests, [N, H, A]; the cost of the model is not counted.

        Raises:
            ArgumentError: the policy's chunks are not those of the environment.
        """
        predicted = self.model.predict(observations, request.prefix, request.prefix_length)
        chunks = read_chunks(ask(self.policy, predicted, behind_prefix(request)))
        return place_behind(np.asarray(request.prefix), request.prefix_length, chunks)


def check_model(model: WorldModel, strategy: str) -> WorldModel:
    """The model, if it can predict.

    Raises:
        ArgumentError: it cannot; the sentence names the strategy.
    """
    if isinstance(model, type) or not callable(getattr(model, "predict", None)):
        raise ArgumentError(
            f"{strategy} was given model={brief(model)}, which cannot predict; give an object with "
            "predict(observations, prefix, prefix_length), as chunkenv.kinetix.EngineModel(level) is."
        )
    return model


def behind_prefix(request: VectorRequest) -> VectorRequest:
    """The requests as they would be when the prefix has run, without delay.

    >>> from chunkenv import Request
    >>> from chunkenv.strategies import stack_requests
    >>> plan = np.array([[1.0], [2.0], [3.0]])
    >>> later = behind_prefix(stack_requests([Request(4, plan[:2], 2, 2, 4, plan)]))
    >>> later.tick, later.left_over[0, :1].tolist(), later.left_over_length
    (array([6]), [[3.0]], array([1]))
    """
    lengths, left_over = request.prefix_length, np.asarray(request.left_over)
    count: int = left_over.shape[1]
    rows = np.minimum(np.arange(count) + lengths[:, None], max(count - 1, 0))
    return request._replace(
        tick=request.tick + lengths,
        prefix_length=np.zeros_like(lengths),
        delay_estimate=np.zeros_like(lengths),
        left_over=left_over[np.arange(len(rows))[:, None], rows],
        left_over_length=request.left_over_length - lengths,
        pending=None,
    )


def place_behind(prefix: np.ndarray, lengths: NDArray[np.int64], chunks: np.ndarray) -> np.ndarray:
    """Chunks [N, H, A] that begin with so many rows of a prefix; what no longer fits in is left out.

    Raises:
        ArgumentError: the prefix has other actions, or more rows, than the chunks.
    """
    if prefix.shape[2:] != chunks.shape[2:] or prefix.shape[1] > chunks.shape[1]:
        raise ArgumentError(
            f"The policy's chunks have shape {chunks.shape[1:]}, but the environment's have {prefix.shape[1]} rows or "
            f"more, each of shape {prefix.shape[2:]}; give both the same prediction horizon and actions."
        )
    horizon: int = chunks.shape[1]
    rows = np.arange(horizon) - lengths[:, None]
    placed = chunks[np.arange(len(rows))[:, None], np.maximum(rows, 0)]
    own = (rows < 0)[:, : prefix.shape[1]]
    placed[:, : prefix.shape[1]][own] = prefix[own]
    return placed
