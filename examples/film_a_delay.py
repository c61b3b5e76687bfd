"""Film a policy with inference delay: a video with a frame of every control step, and which chunk acted in it.

    python examples/film_a_delay.py

Needs `pip install "chunkenv[render]" "gymnasium[classic-control]"`. Replace the environment and the policy by yours.
"""

import os
import tempfile
from pathlib import Path

import gymnasium as gym
import numpy as np

import chunkenv
from chunkenv.latency import LogNormal
from chunkenv.wrappers import ChunkOverlay


class Pump:
    """Pushes the pendulum in the direction of its motion."""

    def infer(self, observation, request):
        """The same torque in eight rows."""
        return np.full((8, 1), 2 * np.sign(observation[2]), np.float32)


def make_env(folder):
    """Wrap in this order: frames of every tick, chunks, the strip under the frames, the video."""
    world = gym.make("Pendulum-v1", render_mode="rgb_array_list", max_episode_steps=60)
    latency = LogNormal(median=0.15, sigma=0.6)
    chunked = chunkenv.ChunkedExecution(world, 8, 4, latency, info="full")
    return chunkenv.RecordTicks(ChunkOverlay(chunked), str(folder), episode_trigger=lambda episode: True)


if __name__ == "__main__":
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # frames need no screen
    folder = Path(tempfile.mkdtemp()) / "videos"
    (row,) = chunkenv.evaluate(lambda: make_env(folder), Pump(), episodes=1, seed=0)
    print(f"{row['ticks']} ticks, {row['underruns']} of them without a row: {folder / 'rl-video-episode-0.mp4'}")
