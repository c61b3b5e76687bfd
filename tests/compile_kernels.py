"""Compiles the kernels that most tests need, into numba's cache.

python -m tests.compile_kernels
"""

import gymnasium as gym
import numpy as np


def play_kinetix():
    name = "chunkenv/kinetix-catapult-v0"
    env = gym.make(name)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    envs = gym.make_vec(name, num_envs=2)
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())


def play_manipulation():
    envs = gym.make_vec("chunkenv/manip-cube-single-v0", num_envs=2, threads=1)
    envs.reset(seed=0)
    envs.play(np.zeros((2, 3, 5), np.float32), np.array([3, 2]))


if __name__ == "__main__":
    import chunkenv  # noqa: F401  # registers the tasks

    play_kinetix()
    play_manipulation()
