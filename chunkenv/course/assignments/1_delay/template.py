"""Assignment 1: why delay breaks a good policy. Fill in every TODO; keep the names and arguments of the functions.

Read `text.md` first. `chunkenv course check 1 FOLDER` runs the public tests on `FOLDER/solution.py`.
"""

# %%
from __future__ import annotations

import math

import numpy as np

HORIZON = 8


# %%
def delay_in_ticks(latency: float, control_dt: float) -> int:
    """Ticks that an inference takes.

    Args:
        latency: of the inference, in seconds, at least 0.
        control_dt: seconds of a tick.
    """
    # TODO 1: a chunk that comes in the middle of a tick can act in the next one. What is 0.14 / 0.02 in floats?
    raise NotImplementedError("TODO 1: delay_in_ticks")


# %%
def requests_of(delays: list[int], execution_horizon: int) -> list[int]:
    """The tick of every request, one for each delay; the first is 0.

    Args:
        delays: in ticks, of all inferences; the first is 0, because the robot waits for its first chunk.
        execution_horizon: s, ticks between two requests, unless the inference takes longer.
    """
    # TODO 2: one inference at a time.
    raise NotImplementedError("TODO 2: requests_of")


# %%
def rows_played(
    delays: list[int], prediction_horizon: int, execution_horizon: int, ticks: int
) -> list[tuple[int, int]]:
    """Which row runs in every tick: (chunk, row), both counted from 0; (-1, -1) where there is none.

    Args:
        delays: as `requests_of` has them; enough of them for all ticks.
        prediction_horizon: H, rows of a chunk. Row i runs i ticks after its request or never.
        execution_horizon: s.
        ticks: how many.
    """
    # TODO 3: in every tick the newest chunk acts that has arrived.
    raise NotImplementedError("TODO 3: rows_played")


# %%
def count_underruns(played: list[tuple[int, int]]) -> int:
    """The ticks without a row, of what `rows_played` returns."""
    # TODO 4
    raise NotImplementedError("TODO 4: count_underruns")


def staleness(played: list[tuple[int, int]], requests: list[int]) -> list[int]:
    """For every tick the age in ticks of the observation behind the action; -1 for an underrun.

    Args:
        played: what `rows_played` returns.
        requests: what `requests_of` returns.
    """
    # TODO 5
    raise NotImplementedError("TODO 5: staleness")


# %%
def mean_and_error(values: list[float]) -> tuple[float, float]:
    """The mean of at least two values, and its standard error: their spread (n - 1 below) by the root of n."""
    # TODO 6
    raise NotImplementedError("TODO 6: mean_and_error")


# %% [markdown]
# The next two functions are given: they are CartPole, and a policy that balances it for ever without delay.


# %%
def next_state(state: np.ndarray, action: int) -> np.ndarray:
    """CartPole's state a tick later: position, speed, angle, angular speed."""
    x, x_dot, theta, theta_dot = (float(each) for each in state)
    force = 10.0 if action == 1 else -10.0
    push = (force + 0.05 * theta_dot**2 * math.sin(theta)) / 1.1
    theta_acc = (9.8 * math.sin(theta) - math.cos(theta) * push) / (
        0.5 * (4.0 / 3.0 - 0.1 * math.cos(theta) ** 2 / 1.1)
    )
    x_acc = push - 0.05 * theta_acc * math.cos(theta) / 1.1
    return np.array([x + 0.02 * x_dot, x_dot + 0.02 * x_acc, theta + 0.02 * theta_dot, theta_dot + 0.02 * theta_acc])


def choose_action(state: np.ndarray) -> int:
    """The side to push to, in a state that is true now."""
    x, x_dot, theta, theta_dot = (float(each) for each in state)
    return int(theta + 0.5 * theta_dot + 0.05 * x + 0.1 * x_dot > 0)


class HoldingPolicy:
    """Chooses once, and holds the action for the whole chunk: what a controller without a model can do."""

    def infer(self, observation, request):
        """The chunk for a request: int [8]."""
        return [choose_action(observation)] * HORIZON


# %%
class PredictingPolicy:
    """Knows which rows run while it thinks, and chooses each later row in the state that it expects."""

    def infer(self, observation, request):
        """The chunk for a request, int [8]; row i is for the state i ticks after the observation.

        Args:
            observation: CartPole's state at the request.
            request: `request.prefix[i]` for i < `request.prefix_length` are the actions that will run meanwhile. They
                are rows 0, 1, ... of the chunk, too: nothing can change them.
        """
        # TODO 7: go from state to state with next_state, and choose with choose_action.
        raise NotImplementedError("TODO 7: PredictingPolicy.infer")


# %% [markdown]
# Measure and plot: about a minute on two cores. The last part needs `pip install "chunkenv[agents]"`.

# %%
if __name__ == "__main__":
    from pathlib import Path

    from chunkenv.course import cartpole_by_delay, draw_by_delay, kinetix_by_delay
    from chunkenv.timeline import draw_timeline, plan_timeline

    Path("timeline.svg").write_text(draw_timeline(plan_timeline(HORIZON, 4, delay=2, ticks=16)))
    policies = {"holding": HoldingPolicy(), "predicting": PredictingPolicy()}
    curves = {name: cartpole_by_delay(policy, range(5), episodes=20, seed=0) for name, policy in policies.items()}
    draw_by_delay(curves, mean_and_error, "return on CartPole", Path("cartpole.png"))
    solved = {"flow policy": kinetix_by_delay("cartpole_thrust", range(5), episodes=64, seed=0)}
    draw_by_delay(solved, mean_and_error, "solve rate on cartpole_thrust", Path("kinetix.png"))
