"""Assignment 1, why delay breaks a good policy: the reference."""

from __future__ import annotations

import math

import numpy as np

HORIZON = 8


def delay_in_ticks(latency: float, control_dt: float) -> int:
    """Ticks that an inference of `latency` seconds takes; rounded first, so that 0.1 / 0.05 is 2 and no more."""
    return math.ceil(round(latency / control_dt, 9))


def requests_of(delays: list[int], execution_horizon: int) -> list[int]:
    """The tick of every request: s ticks after the last one, or when its inference is over, if that is later."""
    requests = [0]
    for delay in delays[:-1]:
        requests.append(requests[-1] + max(execution_horizon, delay))
    return requests


def rows_played(
    delays: list[int], prediction_horizon: int, execution_horizon: int, ticks: int
) -> list[tuple[int, int]]:
    """(chunk, row) of every tick: of the newest chunk that has arrived, if it has a row for this tick."""
    requests = requests_of(delays, execution_horizon)
    played = []
    for tick in range(ticks):
        there = [m for m, request in enumerate(requests) if request + delays[m] <= tick]
        row = tick - requests[there[-1]]
        played.append((there[-1], row) if row < prediction_horizon else (-1, -1))
    return played


def count_underruns(played: list[tuple[int, int]]) -> int:
    """Ticks without a row."""
    return sum(row == -1 for _, row in played)


def staleness(played: list[tuple[int, int]], requests: list[int]) -> list[int]:
    """For every tick the age in ticks of the observation behind the action; -1 for an underrun."""
    return [tick - requests[chunk] if chunk >= 0 else -1 for tick, (chunk, _) in enumerate(played)]


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """The mean and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def next_state(state: np.ndarray, action: int) -> np.ndarray:
    """CartPole's state a tick later."""
    x, x_dot, theta, theta_dot = (float(each) for each in state)
    force = 10.0 if action == 1 else -10.0
    push = (force + 0.05 * theta_dot**2 * math.sin(theta)) / 1.1
    theta_acc = (9.8 * math.sin(theta) - math.cos(theta) * push) / (
        0.5 * (4.0 / 3.0 - 0.1 * math.cos(theta) ** 2 / 1.1)
    )
    x_acc = push - 0.05 * theta_acc * math.cos(theta) / 1.1
    return np.array([x + 0.02 * x_dot, x_dot + 0.02 * x_acc, theta + 0.02 * theta_dot, theta_dot + 0.02 * theta_acc])


def choose_action(state: np.ndarray) -> int:
    """The side to push to, in a state that is true now: a good policy without delay."""
    x, x_dot, theta, theta_dot = (float(each) for each in state)
    return int(theta + 0.5 * theta_dot + 0.05 * x + 0.1 * x_dot > 0)


class HoldingPolicy:
    """Chooses once, and holds the action for the whole chunk: what a controller without a model can do."""

    def infer(self, observation, request):
        """The chunk for a request: int [8]."""
        return [choose_action(observation)] * HORIZON


class PredictingPolicy:
    """Plays the rows that will run meanwhile in its head, then chooses each row in the state that it expects."""

    def infer(self, observation, request):
        """The chunk for a request: int [8]."""
        state, chunk = observation, []
        for row in range(HORIZON):
            action = int(request.prefix[row]) if row < request.prefix_length else choose_action(state)
            chunk.append(action)
            state = next_state(state, action)
        return chunk


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
