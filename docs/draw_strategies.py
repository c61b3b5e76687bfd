"""Draw what strategies make of the same chunks, for the gallery: the actions of one episode, coloured by chunk.

    python docs/draw_strategies.py

It writes docs/images/strategies.png. The policy draws every chunk anew from a Gaussian whose neighbouring rows are
correlated, so its velocity is known in closed form. Needs the extra `bench`.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import matplotlib
import numpy as np

from chunkenv import ChunkedExecution
from chunkenv.strategies import BID, RTC, HardMasking, Naive, TemporalEnsembling, stack_requests
from chunkenv.utils.euler import PlainEuler

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PICTURE = Path(__file__).parent / "images" / "strategies.png"
ROWS, TICKS, CORRELATION = 8, 40, 0.9
STRATEGIES = {
    "naive": Naive,
    "temporal ensembling": TemporalEnsembling,
    "BID": BID,
    "hard masking": HardMasking,
    "RTC": RTC,
}


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


class Gaussian:
    """A flow policy in closed form: a `chunkenv.strategies.Denoiser`."""

    prediction_horizon, action_size, steps, flops_per_evaluation = ROWS, 1, 5, ROWS * ROWS

    def velocity(self, observations, chunks, time):
        """From noise (time 0) to data (time 1)."""
        return jacobian(time) @ chunks

    def velocity_vjp(self, observations, chunks, time):
        """The velocity, and the product with its transposed Jacobian, which does not depend on the chunk."""
        return jacobian(time) @ chunks, lambda error: jacobian(time).T @ error

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
        noise = np.stack([rng.standard_normal((ROWS, 1)) for rng in request.rng])
        return PlainEuler(self.steps)(self, observations, noise)


def jacobian(time: float) -> np.ndarray:
    """Of the velocity at a flow time below 1, in the chunk."""
    rows = np.arange(ROWS)
    covariance = CORRELATION ** abs(rows[:, None] - rows)
    noisy = time**2 * covariance + (1 - time) ** 2 * np.eye(ROWS)
    return (time * covariance @ np.linalg.inv(noisy) - np.eye(ROWS)) / (1 - time)


def played(strategy: type) -> tuple[np.ndarray, np.ndarray]:
    """The actions of an episode, and the number of the chunk that each came from."""
    actions, chunks, policy = [], [], strategy(Gaussian())
    env = ChunkedExecution(Still(), ROWS, 4, latency=2, info="actions")
    observation, _ = env.reset(seed=0)
    rng, ended, decision = np.random.default_rng(3), False, 0
    while not ended:
        chunk = policy.infer(observation, env.request._replace(rng=rng))
        observation, _, _, ended, info = env.step(chunk)
        actions += [float(action[0]) for action in info["actions"]]
        chunks += [decision - int(age) for age, _ in info["sources"]]
        decision += 1
    return np.array(actions), np.array(chunks)


def draw() -> plt.Figure:
    """A line for each strategy, on a ground of its own."""
    figure, axes = plt.subplots(len(STRATEGIES), 1, figsize=(7, 7), sharex=True, sharey=True, layout="constrained")
    for axis, (name, strategy) in zip(axes, STRATEGIES.items(), strict=True):
        actions, chunks = played(strategy)
        axis.plot(actions, color="0.6", linewidth=1)
        axis.scatter(range(len(actions)), actions, c=chunks % 5, cmap="Dark2", vmin=0, vmax=7, s=22, zorder=2)
        axis.set_title(name, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("tick")
    figure.supylabel("action")
    return figure


if __name__ == "__main__":
    draw().savefig(PICTURE, dpi=110)
    print("docs/images/strategies.png")
