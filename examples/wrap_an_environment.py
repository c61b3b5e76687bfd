"""The cost of inference latency on your own environment: CartPole, with a controller of increasing latency.

    python examples/wrap_an_environment.py

Needs `pip install "chunkenv" "gymnasium[classic-control]"`. Replace the environment and the controller with your own.
"""

import gymnasium as gym
import numpy as np

import chunkenv
from chunkenv.latency import LogNormal


class Balance:
    """Pushes the cart in the direction in which the pole falls, in all rows of the chunk."""

    def infer(self, observation, request):
        """The same action in eight rows."""
        angle, spin = observation[2], observation[3]
        return np.full(8, int(angle + 0.3 * spin > 0))


def solve(latency, overlap=True):
    """The mean number of ticks that the pole stays up, of 200, over 20 episodes."""

    def make_env():
        env = gym.make("CartPole-v1", max_episode_steps=200)
        return chunkenv.ChunkedExecution(env, 8, 2, latency, overlap=overlap)

    return np.mean([row["ticks"] for row in chunkenv.evaluate(make_env, Balance(), episodes=20, seed=0)])


if __name__ == "__main__":
    print("latency                          asynchronous  synchronous")
    for latency in (0, 1, 2, LogNormal(median=0.02, sigma=0.5)):
        print(f"{latency!s:<32} {solve(latency):>12.0f} {solve(latency, overlap=False):>12.0f}")
