"""Assignment 3: random delay. Fill in every TODO; keep the names and arguments of the functions.

Read `text.md` first. `chunkenv course check 3 FOLDER` runs the public tests on `FOLDER/solution.py`.
`python solution.py` trains both controllers (needs `pip install "chunkenv[sb3]"`; a few minutes) and prints what to
paste below. The grader does not train: it plays the controllers that stand here.
"""

# %%
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


# %%
# TODO 5: paste what `python solution.py` prints.
WITH_BUFFER: list[float] = []
WITHOUT_BUFFER: list[float] = []
MEASURED: list[float] = []


# %%
def acting_actions(delays: list[int]) -> list[int]:
    """Which action acts in each tick, by number; -1 before the first has arrived. One for each delay.

    Action i is sent at the beginning of tick i and takes `delays[i]` ticks: from tick i + delays[i] on it is there. In
    every tick the newest action that is there acts, newest by when it was sent.
    """
    # TODO 1
    raise NotImplementedError("TODO 1: acting_actions")


# %%
def play_decision(horizon: int, execution_horizon: int, waited: int, estimate: int, delay: int) -> dict[str, Any]:
    """Which rows run from one request to the next, while the robot does not wait for the inference.

    Row i of a chunk is meant for the tick of its request plus i: it runs in that tick or never. The next request comes
    after `execution_horizon` ticks, or when the inference is over, if that is later.

    Args:
        horizon: rows in a chunk, H.
        execution_horizon: s, from 1 to H.
        waited: ticks since the request of the chunk before, 1 to H: its rows from `waited` on are left.
        estimate: ticks that the inference was expected to take, when it was requested.
        delay: ticks that it really took, at least 0.

    Returns:
        "prefix": a list of the rows of the chunk before that run, by number; "underruns": ticks without a row;
        "own": a list of the rows of the new chunk that run before the next request.
    """
    # TODO 2
    raise NotImplementedError("TODO 2: play_decision")


# %%
def observation_with_prefix(observation: np.ndarray, chunk: np.ndarray, waited: int, estimate: int) -> np.ndarray:
    """What a policy has to see at a request, in one row: the estimate, the observation, the prefix and its length.

    The prefix has the shape of a whole chunk, row by row: first the rows that are expected to run during the inference,
    then zeros. The length says how many of its rows are a plan.

    Args:
        observation: float [O].
        chunk: float [H, A], the chunk before.
        waited: ticks since its request, 1 to H.
        estimate: ticks that the inference is expected to take. Nobody knows the real delay yet.

    Returns:
        float [1 + O + H * A + 1].
    """
    # TODO 3
    raise NotImplementedError("TODO 3: observation_with_prefix")


# %%
def paired_interval(first: np.ndarray, second: np.ndarray, quantile: float) -> list[float]:
    """The mean of first - second and its interval of confidence: [mean, low, high].

    Args:
        first: returns [N], N >= 2.
        second: returns [N] of the same episodes.
        quantile: the interval reaches this many standard errors to both sides.
    """
    # TODO 4: the standard deviation of a sample divides by N - 1.
    raise NotImplementedError("TODO 4: paired_interval")


# %%
def train(observe: bool, seed: int = 0) -> list[float]:
    """Train PPO on the late slope; the weights of its mean action, then its bias.

    Args:
        observe: whether the controller sees the actions that it has sent.
        seed: of everything random.
    """
    # TODO 5: make 16 environments of `late_slope(observe)`, train PPO with NETWORK and SETTINGS for 120,000 steps, with
    # a learning rate that falls from 5e-3 to 0 (PPO takes a function of the share of steps that is left, 1 to 0), and
    # read `model.policy.action_net`. You need PPO of stable_baselines3, make_vec_env of
    # stable_baselines3.common.env_util and late_slope of chunkenv.course. Import them in here: the grader's machine
    # has no Stable-Baselines3.
    raise NotImplementedError("TODO 5: train")


# %%
def measure(with_buffer: list[float], without_buffer: list[float]) -> list[float]:
    """How much more the controller with a buffer gets in an episode: [mean, low, high], from the same episodes."""
    # TODO 5: `chunkenv.course.returns_on_slope` plays a controller; `paired_interval` does the rest.
    raise NotImplementedError("TODO 5: measure")


# %%
def controllers() -> dict[str, list[float]]:
    """The two controllers, as the grader plays them."""
    return {"with": WITH_BUFFER, "without": WITHOUT_BUFFER}


# %%
def measured() -> list[float]:
    """What you have measured: [mean, low, high]."""
    return MEASURED


# %% [markdown]
# Train, measure and plot: about three minutes on two cores.

# %%
if __name__ == "__main__":
    from pathlib import Path

    from chunkenv.course import draw_gains, returns_on_slope

    first, second = train(True), train(False)
    print("WITH_BUFFER =", first)
    print("WITHOUT_BUFFER =", second)
    print("MEASURED =", gain := measure(first, second))
    played = returns_on_slope(first, True, EPISODES, seed=0), returns_on_slope(second, False, EPISODES, seed=0)
    draw_gains(*played, gain, Path("gains.png"))
