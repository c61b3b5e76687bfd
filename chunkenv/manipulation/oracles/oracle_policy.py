"""The oracle as a chunked policy: it plays its own copy of the world and returns what it did there."""

from __future__ import annotations

import copy

import numpy as np

from chunkenv.manipulation.engine.units import N_ACTIONS
from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.manipulation.oracles.oracle import Oracle
from chunkenv.request import Request
from chunkenv.utils.checks import true_or_false, whole_number


class OraclePolicy:
    """Plans a chunk by acting in closed loop in a copy of the world, from the state that it observes.

    It is no learned policy and no fair opponent for one: it is given the whole state instead of an observation, and
    the physics as its model; only the action noise is unknown to it. Make the environment with `observation="state"`.
    It is meant for asynchronous execution (`overlap=True`), where row i of a chunk belongs to tick i after the request.

    What the oracle has in mind (its sub-goal, how long it has been at it) is kept for every tick that it planned, so
    that the next chunk goes on from the tick at which it takes over.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        prediction_horizon: rows in a chunk, H.
        prefix_aware: True plays the request's prefix in the copy first; False plans from what it sees, as if the chunk
            acted at once. Without delay both are the same.
        style: which of ogbench's primitives it drives, 'markov' or 'plan'.

    Attributes:
        ticks_simulated: control steps simulated since the policy was made: what its decisions cost.

    Raises:
        ArgumentError: for an invalid argument.

    >>> import gymnasium as gym
    >>> from chunkenv import ChunkedExecution, evaluate
    >>> def make_env():
    ...     world = gym.make("chunkenv/manip-cube-single-task1-v0", observation="state")
    ...     return ChunkedExecution(world, prediction_horizon=10, execution_horizon=5, latency=2)
    >>> evaluate(make_env, OraclePolicy("cube-single", prediction_horizon=10), episodes=1, seed=0)[0]["success"]
    True
    """

    def __init__(
        self, family: str, prediction_horizon: int = 10, prefix_aware: bool = True, style: str = "markov"
    ) -> None:
        self.prediction_horizon = whole_number("prediction_horizon", prediction_horizon, at_least=1)
        self.prefix_aware = true_or_false("prefix_aware", prefix_aware)
        self.ticks_simulated = 0
        self._fresh = Oracle(family, style)
        self._model = ManipulationEnv(family, task=1)  # the state that it is put into says which task
        self.reset()

    def reset(self) -> None:
        """Forget the last plan: an episode begins."""
        self._minds = {0: copy.copy(self._fresh)}
        self._last_action = np.zeros(N_ACTIONS, np.float32)

    def infer(self, observation: np.ndarray, request: Request) -> np.ndarray:
        """The chunk for a request.

        Args:
            observation: the state, float64[n].
            request: what `ChunkedExecution.request` says.

        Returns:
            float32[H, 5], within [-1, 1]; its first rows are the prefix, where it knows of one.

        Raises:
            ArgumentError: the observation is not a state of this family.
        """
        self._model.set_state(observation)
        committed = self._read_prefix(request)
        for action in committed:
            self._simulate(action)
        begin, end = request.tick + len(committed), request.tick + self.prediction_horizon
        plan = self._plan_actions(self._mind_at(begin), range(begin, max(begin + 1, end)))
        chunk = np.concatenate([committed, plan])[: self.prediction_horizon]
        self._last_action = chunk[-1]
        return chunk

    def _read_prefix(self, request: Request) -> np.ndarray:
        """The actions that run before this chunk can act, float32[delay, 5]: the prefix, held where it is too short.

        None for a naive policy, which ignores them.
        """
        if not self.prefix_aware:
            return np.zeros((0, N_ACTIONS), np.float32)
        rows = np.asarray(request.prefix, np.float32).reshape(-1, N_ACTIONS)
        held = rows[-1] if len(rows) else self._last_action
        return np.concatenate([rows, np.tile(held, (request.delay_estimate - len(rows), 1))])

    def _mind_at(self, tick: int) -> Oracle:
        """What the oracle had in mind when it planned for `tick`; the nearest there is if it never did."""
        known = [planned for planned in self._minds if planned <= tick]
        return self._minds[max(known)] if known else self._fresh

    def _plan_actions(self, mind: Oracle, ticks: range) -> np.ndarray:
        """What the oracle does in the copy over `ticks`, float32[n, 5]."""
        mind = copy.copy(mind)
        self._minds, rows = {}, []
        for tick in ticks:
            self._minds[tick] = copy.copy(mind)
            rows.append(mind.act(self._model.facts()))
            self._simulate(rows[-1])
        self._minds[ticks.stop] = mind
        return np.array(rows, np.float32)

    def _simulate(self, action: np.ndarray) -> None:
        self._model.world.play(np.clip(action, -1, 1))
        self.ticks_simulated += 1
