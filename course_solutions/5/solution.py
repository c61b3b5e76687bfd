"""Assignment 5, open: a reference that plans for the mean over the delays that it has met."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

ROWS, STRONGEST = 16, 10.0
MEMORY = 8
"""Delays that are remembered: few, so that a burst is noticed, but more than one."""

State = tuple[float, ...]


def next_state(state: State, push: float) -> State:
    """CartPole's state a tick later: position (m), speed (m/s), angle (rad), angular speed (rad/s)."""
    x, speed, angle, turning = state
    pushed = (push + 0.05 * turning**2 * math.sin(angle)) / 1.1
    turned = (9.8 * math.sin(angle) - math.cos(angle) * pushed) / (0.5 * (4 / 3 - 0.1 * math.cos(angle) ** 2 / 1.1))
    moved = pushed - 0.05 * turned * math.cos(angle) / 1.1
    return x + 0.02 * speed, speed + 0.02 * moved, angle + 0.02 * turning, turning + 0.02 * turned


def choose_push(state: State) -> float:
    """A push for a state that is true now."""
    x, speed, angle, turning = state
    wanted = x + 2 * speed + 40 * angle + 10 * turning
    return min(max(wanted, -STRONGEST), STRONGEST)


class OnePushPolicy:
    """Chooses once, and holds the push for the whole chunk: a line to compare with."""

    def infer(self, observation, request):
        """The chunk for a request: 16 rows of one push."""
        return [[choose_push(tuple(observation))]] * ROWS


class OpenPolicy:
    """Plays every delay of its memory in its head, and pushes as the states that these lead to want on average."""

    def __init__(self) -> None:
        self.delays: deque[int] = deque(maxlen=MEMORY)

    def reset(self) -> None:
        """Forget the delays of the last episode."""
        self.delays.clear()

    def infer(self, observation: np.ndarray, request):
        """The chunk for a request: 16 rows of one push."""
        self.delays.append(request.delay_estimate)
        left = [float(row[0]) for row in request.left_over] or [choose_push(tuple(observation.tolist()))]
        states, chunk = [tuple(observation.tolist()) for _ in self.delays], []
        for row in range(ROWS):
            old = left[min(row, len(left) - 1)]  # without a row the last push goes on
            there = [choose_push(state) for state, d in zip(states, self.delays, strict=True) if d <= row]
            new = sum(there) / len(there) if there else old
            states = [next_state(state, new if d <= row else old) for state, d in zip(states, self.delays, strict=True)]
            chunk.append([new])
        return chunk


if __name__ == "__main__":
    from pathlib import Path

    from chunkenv.course import PUBLIC_MODELS, count_solved, draw_by_model, draw_profiles, sample_delays

    policies = {"holding": OnePushPolicy(), "open": OpenPolicy()}
    counts = {name: count_solved(policy, PUBLIC_MODELS, episodes=100, seed=0) for name, policy in policies.items()}
    print(counts)
    draw_by_model(counts, Path("solved.png"))
    profiles = {name: sample_delays(model, 0.02, 150, seed=0) for name, model in PUBLIC_MODELS.items()}
    draw_profiles(profiles, Path("profiles.png"))
