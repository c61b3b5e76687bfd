"""Assignment 3, random delay: the reference. `python solution.py` trains, and prints what stands below."""

from __future__ import annotations

from typing import Any

import numpy as np

EPISODES = 200
QUANTILE = 1.972
"""Of Student's t with 199 degrees of freedom, for an interval of 95 %."""
NETWORK = {"net_arch": {"pi": [], "vf": [32, 32]}, "log_std_init": -1.0}
"""`policy_kwargs` of PPO: the mean action is linear in what is observed."""
SETTINGS = {"n_steps": 64, "batch_size": 256, "n_epochs": 5, "gamma": 0.9, "gae_lambda": 0.9, "device": "cpu"}
"""Other arguments of PPO."""

WITH_BUFFER = [0.0009, -0.7052, -0.1388, -0.2721, -0.2985, 0.0047]
WITHOUT_BUFFER = [-0.4152, 0.0041]
MEASURED = [1.577, 1.244, 1.911]


def acting_actions(delays: list[int]) -> list[int]:
    """Which action acts in each tick, by number: the newest that is there."""
    there = [tick + delay for tick, delay in enumerate(delays)]
    return [max((i for i in range(tick + 1) if there[i] <= tick), default=-1) for tick in range(len(delays))]


def play_decision(horizon: int, execution_horizon: int, waited: int, estimate: int, delay: int) -> dict[str, Any]:
    """Which rows run from one request to the next: the real delay decides, whatever was expected."""
    prefix = list(range(waited, min(waited + delay, horizon)))
    own = list(range(delay, min(max(execution_horizon, delay), horizon)))
    return {"prefix": prefix, "underruns": delay - len(prefix), "own": own}


def observation_with_prefix(observation: np.ndarray, chunk: np.ndarray, waited: int, estimate: int) -> np.ndarray:
    """The estimate, the observation, the prefix and its length, in one row."""
    rows = chunk[waited : waited + estimate]
    prefix = np.zeros_like(chunk)
    prefix[: len(rows)] = rows
    return np.concatenate([[estimate], observation, prefix.ravel(), [len(rows)]])


def paired_interval(first: np.ndarray, second: np.ndarray, quantile: float) -> list[float]:
    """The mean of first - second and its interval of confidence: [mean, low, high]."""
    gains = np.asarray(first) - np.asarray(second)
    mean, reach = gains.mean(), quantile * gains.std(ddof=1) / np.sqrt(len(gains))
    return [float(mean), float(mean - reach), float(mean + reach)]


def train(observe: bool, seed: int = 0) -> list[float]:
    """Train PPO on the late slope; the weights of its mean action, then its bias."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    from chunkenv.course import late_slope

    env = make_vec_env(lambda: late_slope(observe), n_envs=16, seed=seed)
    model = PPO(
        "MlpPolicy", env, learning_rate=lambda left: 5e-3 * left, policy_kwargs=NETWORK, seed=seed, **SETTINGS
    ).learn(120_000)
    last = model.policy.action_net
    return [round(float(each), 4) for each in (*last.weight.detach()[0], *last.bias.detach())]


def measure(with_buffer: list[float], without_buffer: list[float]) -> list[float]:
    """How much more the controller with a buffer gets in an episode: [mean, low, high], from the same episodes."""
    from chunkenv.course import returns_on_slope

    first = returns_on_slope(with_buffer, True, EPISODES, seed=0)
    second = returns_on_slope(without_buffer, False, EPISODES, seed=0)
    return [round(each, 3) for each in paired_interval(first, second, QUANTILE)]


def controllers() -> dict[str, list[float]]:
    """The two controllers, as the grader plays them."""
    return {"with": WITH_BUFFER, "without": WITHOUT_BUFFER}


def measured() -> list[float]:
    """What was measured: [mean, low, high]."""
    return MEASURED


if __name__ == "__main__":
    first, second = train(True), train(False)
    print("WITH_BUFFER =", first)
    print("WITHOUT_BUFFER =", second)
    print("MEASURED =", measure(first, second))
