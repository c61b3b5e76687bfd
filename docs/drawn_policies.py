"""Policies and worlds in closed form, small enough to see what strategies make of them: for `draw_strategies.py`."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from chunkenv.strategies import stack_requests
from chunkenv.utils.euler import PlainEuler

ROWS, TICKS, CORRELATION = 8, 40, 0.9
DISTANCES = abs(np.arange(ROWS)[:, None] - np.arange(ROWS))
COVARIANCE = CORRELATION**DISTANCES


class Still(gym.Env):
    """Nothing happens for `TICKS` ticks: what is drawn are the actions."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = gym.spaces.Box(-4.0, 4.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        """Begin."""
        super().reset(seed=seed)
        self.tick = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        """Count."""
        self.tick += 1
        return np.zeros(1, np.float32), 0.0, False, self.tick == TICKS, {}


class Pursuit(gym.Env):
    """A point is moved by its action, and pushed a little, after a goal that goes up and down.

    It observes its place, the goal and the goal's speed. `trail` has place and goal of every tick.
    """

    observation_space = gym.spaces.Box(-9.0, 9.0, (3,), np.float32)
    action_space = gym.spaces.Box(-4.0, 4.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        """Begin at 0, the goal a way above."""
        super().reset(seed=seed)
        self.state, self.tick, self.trail = np.array([0.0, 1.0, 0.2]), 0, []
        return self.state.astype(np.float32), {}

    def step(self, action):
        """Move, be pushed, and let the goal turn back every ten ticks."""
        self.trail.append(self.state[:2].copy())
        self.tick += 1
        place, goal, speed = self.state
        push = 0.05 * self.np_random.standard_normal() - (self.tick in (14, 27))
        self.state = np.array([place + action[0] + push, goal + speed, -speed if self.tick % 10 == 0 else speed])
        return self.state.astype(np.float32), 0.0, False, self.tick == TICKS, {}


class Sampler:
    """The members of a `chunkenv.strategies.Denoiser` beside its velocity, for chunks in the units of the actions."""

    prediction_horizon, action_size, steps, flops_per_evaluation = ROWS, 1, 5, ROWS * ROWS

    def compile(self, loop):
        """NumPy runs a loop as it is."""
        return lambda *arrays: loop(self, *arrays)

    def to_network(self, actions):
        """Actions are in the units of the flow."""
        return actions

    to_actions = to_network

    def infer(self, observation, request):
        """One chunk."""
        return self.infer_batch(observation[None], stack_requests([request], rows=ROWS))[0]

    def infer_batch(self, observations, request):
        """Many, each from the noise of its own episode."""
        noise = np.stack([rng.standard_normal((ROWS, 1), np.float32) for rng in request.rng])
        return PlainEuler(self.steps)(self, observations, noise)


class Gaussian(Sampler):
    """Draws every chunk anew from a Gaussian whose neighbouring rows are correlated.

    Rows may be at flow times of their own, so that it continues prefixes and rows that are given in part, exactly.
    """

    prefix_conditioned, max_prefix, soft_rows = True, ROWS, 3

    def velocity(self, observations, chunks, time, prefix_length=None, prefix_weights=None):
        """From noise (time 0) to data (time 1), of rows that are given up to a weight of 0 to 1."""
        weights = np.zeros(chunks.shape[:2]) if prefix_weights is None else prefix_weights
        if prefix_length is not None:
            weights = np.arange(ROWS) < np.asarray(prefix_length)[:, None]
        return np.stack(
            [jacobian(weight + (1 - weight) * time) @ chunk for weight, chunk in zip(weights, chunks, strict=True)]
        )

    def velocity_vjp(self, observations, chunks, time):
        """The velocity, and the product with its transposed Jacobian, which does not depend on the chunk."""
        return self.velocity(observations, chunks, time), lambda error: jacobian(np.full(ROWS, time)).T @ error


def jacobian(times: np.ndarray) -> np.ndarray:
    """Of the velocity in the chunk [H, H], with each row at its flow time [H]; 0 for a row at 1."""
    noisy = times[:, None] * COVARIANCE * times + np.diag((1 - times) ** 2)
    clean = COVARIANCE * times @ np.linalg.inv(noisy)
    left = np.where(times < 1, 1 - times, np.inf)
    return (clean - np.eye(ROWS)) / left[:, None]


class Pursuer(Sampler):
    """Goes a third of the way to the goal with each action, as if the goal stood still: always the same chunk.

    It knows where a prefix leads, and goes on from there.
    """

    prefix_conditioned, max_prefix, share = True, ROWS, 1 / 3

    def velocity(self, observations, chunks, time, prefix_length=0):
        """Straight to the one chunk."""
        behind = np.arange(ROWS) - np.reshape(prefix_length, (-1, 1))
        moved = np.where(behind < 0, chunks[:, :, 0], 0).sum(axis=1)
        gap = observations[:, 1] - observations[:, 0] - moved
        chunk = gap[:, None] * self.share * (1 - self.share) ** np.maximum(behind, 0)
        return (chunk[:, :, None] - chunks) / (1 - time)

    def observation_jvp(self, observations, noise, directions):
        """The chunks, and how they change with the observations: linearly."""
        return tuple(self.velocity(each, 0 * noise, 0.0) for each in (observations, directions))


class Forecast:
    """A model of `Pursuit` that knows neither pushes nor when the goal turns back."""

    def predict(self, observations, prefix, prefix_length):
        """Places and goals after the actions of the prefix, [N, 3]."""
        played = np.arange(np.shape(prefix)[1]) < np.asarray(prefix_length)[:, None]
        moved = (np.asarray(prefix)[:, :, 0] * played).sum(axis=1)
        gone = observations[:, 2] * prefix_length
        return observations + np.stack([moved, gone, 0 * gone], axis=-1)
