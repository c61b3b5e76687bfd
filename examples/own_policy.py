"""Your own policy, numpy only: Pendulum's torque by an energy law, with or without simulating the prefix.

    python examples/own_policy.py

The pendulum is slow: one or two ticks of delay harm neither; with three or four it matters to know the prefix.
Needs `pip install "chunkenv" "gymnasium[classic-control]"`. To check a policy, use `chunkenv.testing.PolicyContract`.
"""

import gymnasium as gym
import numpy as np

import chunkenv


class Swing:
    """Simulates the rows that run until its chunk arrives, then swings up by energy and balances at the top."""

    def __init__(self, looks_ahead=True):
        self.looks_ahead = looks_ahead

    def infer(self, observation, request):
        """Eight torques; the first ones are the prefix, which runs anyway."""
        angle, speed = np.arctan2(observation[1], observation[0]), observation[2]
        chunk = np.zeros((8, 1), np.float32)
        for row in range(8):
            runs_anyway = self.looks_ahead and row < request.prefix_length
            chunk[row] = request.prefix[row] if runs_anyway else self.torque(angle, speed)
            speed = np.clip(speed + 0.05 * (15 * np.sin(angle) + 3 * np.clip(chunk[row, 0], -2, 2)), -8, 8)
            angle += 0.05 * speed
        return chunk

    def torque(self, angle, speed):
        """Swings up by energy; holds by a spring and a damper near the top, where the angle is 0."""
        energy = speed**2 / 6 + 5 * (np.cos(angle) - 1)
        return -10 * np.sin(angle) - 2 * speed if np.cos(angle) > 0.8 else -2 * np.sign(speed * energy)


def mean_return(policy, delay):
    """The mean return over 20 episodes."""

    def make_env():
        return chunkenv.ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=delay)

    return np.mean([row["return"] for row in chunkenv.evaluate(make_env, policy, episodes=20, seed=0)])


if __name__ == "__main__":
    for delay in range(5):
        ahead, naive = mean_return(Swing(), delay), mean_return(Swing(looks_ahead=False), delay)
        print(f"delay {delay}: return {ahead:5.0f} looking ahead through the prefix, {naive:5.0f} without")
