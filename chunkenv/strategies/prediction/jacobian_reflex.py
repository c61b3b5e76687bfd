"""A reflex between inferences: the policy's own first-order answer to how the world differs from the prediction.

Karpov 2026, papadoster/jit-reflex, docs/results/report.md (there `reflex`, with the exact Jacobian).
"""

from __future__ import annotations

from collections import deque
from operator import itemgetter
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ArgumentError
from chunkenv.request import VectorRequest
from chunkenv.strategies.costs import Cost, cost_of_velocities
from chunkenv.strategies.denoiser import SAMPLING, Denoiser
from chunkenv.strategies.prediction.predicted_state import WorldModel, check_model
from chunkenv.strategies.requests import draw_noise, generators_of, map_arrays, plan_left, real_rows, repeat
from chunkenv.strategies.strategy import Strategy
from chunkenv.utils.blocks import in_blocks
from chunkenv.utils.checks import real_number
from chunkenv.utils.euler import PlainEuler
from chunkenv.utils.types import Observation


class JacobianDenoiser(Denoiser, Protocol):
    """A flow policy that knows how its chunks change with the observation."""

    def observation_jvp(
        self, observations: np.ndarray, noise: np.ndarray, directions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The chunks from noise [N, H, A], as actions, and their derivatives in directions [N, O] of observations."""
        ...


class Forecast(NamedTuple):
    """What the chunks of one batch of requests expect.

    Attributes:
        ticks: int64[N], of the requests.
        observations: [N, H, O], as predicted at the tick of each row.
        noise: float32[N, H, H, A], for each row that of a chunk which begins with it.
    """

    ticks: NDArray[np.int64]
    observations: np.ndarray
    noise: np.ndarray


class JacobianReflex(Strategy[JacobianDenoiser]):
    """Follows the policy's linearisation along the predicted way: row + clip(Jacobian (observed - predicted)).

    With a request the prefix and the policy's chunk behind it are played in a model of the world. Row j of the chunk
    that comes out is the first action of the policy at the observation predicted for its tick; its noise is the noise
    of the policy's chunk, shifted so that it begins with row j. As the tick comes, `correct` adds the derivative of
    this action towards the observation that is really there: what the policy would answer now, to first order, with no
    training and no new inference. Rows of the prefix stay as they are.

    It is a strategy and, in one object, the `correction` of the environment in which it acts:

        reflex = JacobianReflex(policy, model)
        env = ChunkedExecution(env, 8, 4, latency=2, correction=reflex)

    Args:
        policy: a `JacobianDenoiser`: a `Denoiser` with `observation_jvp`.
        model: a `WorldModel`.
        limit: the clip of the correction, in units of the action; at least 0.

    Raises:
        ArgumentError: the policy or the model lacks its method, or an invalid limit.
    """

    needs = ("velocity", "observation_jvp", *SAMPLING)
    instead = "without its derivative there is no reflex; use PredictedState, which takes any policy"

    def __init__(self, policy: JacobianDenoiser, model: WorldModel, limit: float = 1.0) -> None:
        super().__init__(policy)
        self.model = check_model(model, "JacobianReflex")
        self.limit = real_number("limit", limit, at_least=0.0)
        self._sample = policy.compile(PlainEuler(policy.steps))
        self._forecasts: deque[Forecast] = deque(maxlen=policy.prediction_horizon)  # an older chunk has no row left

    @property
    def cost(self) -> Cost:
        """The policy's chunk, and for each of its rows another one with its derivative; not what the model takes."""
        rows, steps = self.policy.prediction_horizon, self.policy.steps
        return cost_of_velocities(self.policy, (1 + rows) * steps, rows * steps)

    def reset(self) -> None:
        """Start an episode in every row."""
        super().reset()
        self._forecasts.clear()

    def infer_batch(self, observations: Observation, request: VectorRequest) -> np.ndarray:
        """The chunks for many requests, [N, H, A].

        Raises:
            ArgumentError: a request without generators, or chunks that are not the policy's.
        """
        horizon, size = self.policy.prediction_horizon, self.policy.action_size
        plan = plan_left(request, horizon, size)
        frozen = real_rows(request.prefix_length, horizon)[:, :, None]
        noise = draw_noise(generators_of(request, "JacobianReflex"), horizon, size)
        present = self._present(observations, plan)
        planned = np.where(frozen, plan, self._actions(present, noise))
        playing = np.ones(len(plan), bool) if request.playing is None else request.playing
        predicted = self._predict_every_tick(observations, planned, present, playing)
        turned = shifted(noise)
        self._remember(Forecast(np.array(request.tick), predicted, turned))
        wanted = (playing[:, None] & ~frozen[:, :, 0]).reshape(-1)
        asked = predicted.reshape(-1, predicted.shape[-1]), turned.reshape(-1, horizon, size)
        answers = self._actions(*asked, wanted)
        return np.where(frozen, plan, answers[:, 0].reshape(planned.shape))

    def correct(
        self, observation: Observation, row: np.ndarray, row_index: int, tick: int, rng: np.random.Generator
    ) -> np.ndarray:
        """What is added to a row: see `correct_batch`."""
        observations, rows = np.asarray(observation)[None], np.asarray(row)[None]
        return self.correct_batch(observations, rows, np.array([row_index]), np.array([tick]), (rng,))[0]

    def correct_batch(
        self,
        observations: Observation,
        rows: np.ndarray,
        row_index: NDArray[np.int64],
        tick: NDArray[np.int64],
        rngs: tuple[np.random.Generator, ...],
    ) -> np.ndarray:
        """What is added to the rows of N environments, [N, A]; 0 where `row_index` is -1. Nothing is drawn.

        Raises:
            ArgumentError: a row is of a chunk that this strategy has not made.
        """
        acting = np.asarray(row_index) >= 0
        places = np.where(acting, row_index, 0)
        expected, noise = self._recall(np.asarray(tick) - places, places, acting)
        error = np.where(acting[:, None], self._present(observations, noise) - expected, 0)
        _, change = self.policy.observation_jvp(expected, noise, error.astype(expected.dtype))
        return np.where(acting[:, None], np.clip(change[:, 0], -self.limit, self.limit), 0).astype(rows.dtype)

    def _actions(
        self, observations: np.ndarray, noise: np.ndarray, wanted: NDArray[np.bool_] | None = None
    ) -> np.ndarray:
        return np.asarray(self.policy.to_actions(in_blocks(self._sample, wanted, observations, noise)))

    def _present(self, observations: Observation, actions: np.ndarray) -> np.ndarray:
        """The policy's observations of now; of the actions none is played."""
        return np.asarray(self.model.predict(observations, actions, np.zeros(len(actions), np.int64)))

    def _predict_every_tick(
        self, observations: Observation, planned: np.ndarray, present: np.ndarray, playing: NDArray[np.bool_]
    ) -> np.ndarray:
        """The policy's observations at the tick of each row, if the planned rows run, [N, H, O].

        Those of environments that do not play are the present ones [N, O].
        """
        count, horizon = int(playing.sum()), self.policy.prediction_horizon
        begun, rows = map_arrays(itemgetter(playing), observations), repeat(planned[playing], horizon)
        ahead = self.model.predict(repeat(begun, horizon), rows, np.tile(np.arange(horizon), count))
        predicted = present[:, None].repeat(horizon, axis=1)
        predicted[playing] = np.asarray(ahead).reshape(count, horizon, -1)
        return predicted

    def _remember(self, forecast: Forecast) -> None:
        if self._forecasts and len(self._forecasts[0].ticks) != len(forecast.ticks):
            self._forecasts.clear()
        self._forecasts.append(forecast)

    def _recall(
        self, requested: NDArray[np.int64], places: NDArray[np.int64], acting: NDArray[np.bool_]
    ) -> tuple[np.ndarray, np.ndarray]:
        """What was predicted for rows of the chunks of some requests, [N, O], and their noise, [N, H, A].

        The newest chunk of a tick counts: an episode before this one may have had a request at that tick, too.
        """
        forecasts = [each for each in reversed(self._forecasts) if len(each.ticks) == len(requested)]
        made: NDArray[np.bool_] = np.reshape([each.ticks == requested for each in forecasts], (-1, len(requested)))
        if (acting & ~np.any(made, axis=0)).any():
            raise ArgumentError(
                f"JacobianReflex was to correct rows of chunks requested at ticks {requested[acting].tolist()}, not "
                "all of which it has made; let the same object infer and correct."
            )
        chosen = made.argmax(axis=0), np.arange(len(requested)), places
        observations, noise = (np.stack(each) for each in zip(*(each[1:] for each in forecasts), strict=True))
        return observations[chosen], noise[chosen]


def shifted(noise: np.ndarray) -> np.ndarray:
    """The noise of every row's own chunk, [N, H, H, A]: entry j begins with row j of the noise [N, H, A].

    >>> shifted(np.array([[[1], [2], [3]]]))[0, 1, :, 0].tolist()
    [2, 3, 1]
    """
    horizon: int = noise.shape[1]
    rows = np.arange(horizon)
    return noise[:, (rows[:, None] + rows) % horizon]
