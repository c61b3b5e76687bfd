"""Assignment 5: the best solve rate under latencies that you do not know. Fill in the TODO; keep the name of the class.

Read `text.md` first. `chunkenv course check 5 FOLDER` runs the public tests on `FOLDER/solution.py`.
`python solution.py` measures your policy and draws two plots for your report: about half a minute.
"""

# %%
from __future__ import annotations

import math

import numpy as np

ROWS, STRONGEST = 16, 10.0


# %% [markdown]
# Given: CartPole's physics without gusts. You may change all of it.


# %%
def next_state(state: tuple[float, ...], push: float) -> tuple[float, ...]:
    """CartPole's state a tick later: position (m), speed (m/s), angle (rad), angular speed (rad/s).

    Args:
        state: the state now.
        push: in newtons, from -10 to 10.
    """
    x, speed, angle, turning = state
    pushed = (push + 0.05 * turning**2 * math.sin(angle)) / 1.1
    turned = (9.8 * math.sin(angle) - math.cos(angle) * pushed) / (0.5 * (4 / 3 - 0.1 * math.cos(angle) ** 2 / 1.1))
    moved = pushed - 0.05 * turned * math.cos(angle) / 1.1
    return x + 0.02 * speed, speed + 0.02 * moved, angle + 0.02 * turning, turning + 0.02 * turned


def choose_push(state: tuple[float, ...]) -> float:
    """A push for a state that is true now: right for it, if not the best."""
    x, speed, angle, turning = state
    wanted = x + 2 * speed + 40 * angle + 10 * turning
    return min(max(wanted, -STRONGEST), STRONGEST)


class OnePushPolicy:
    """Chooses once, and holds the push for the whole chunk: a line to compare with."""

    def infer(self, observation, request):
        """The chunk for a request: 16 rows of one push."""
        return [[choose_push(tuple(observation))]] * ROWS


# %%
class OpenPolicy:
    """Your policy: planned, learned, or both. It is made without arguments, once for all episodes of a test."""

    def reset(self) -> None:
        """Forget the last episode: every episode has to begin alike."""

    def infer(self, observation: np.ndarray, request):
        """The chunk for a request: float [16, 1], or a list of 16 lists of one push, from -10 to 10 newtons.

        Args:
            observation: CartPole's state at the request, float [4].
            request: `request.delay_estimate` is the delay of the request before, in ticks, and nobody knows the delay
                of this one. `request.left_over` has all rows that are left of the chunk before, [n, 1]: row i runs i
                ticks from now, if the new chunk is not there by then. `request.prefix` is the first
                `request.prefix_length` of them: what runs if this delay is the same as the last. `request.tick` counts
                the ticks of the episode. `request.rng` is a generator: no other randomness is allowed.
        """
        # TODO
        raise NotImplementedError("TODO: OpenPolicy.infer")


# %% [markdown]
# Measure and plot, for your report. Replace or add latency models: the hidden ones are of other kinds.

# %%
if __name__ == "__main__":
    from pathlib import Path

    from chunkenv.course import PUBLIC_MODELS, count_solved, draw_by_model, draw_profiles, sample_delays

    policies = {"holding": OnePushPolicy(), "open": OpenPolicy()}
    counts = {name: count_solved(policy, PUBLIC_MODELS, episodes=100, seed=0) for name, policy in policies.items()}
    print(counts)
    draw_by_model(counts, Path("solved.png"))
    profiles = {name: sample_delays(model, 0.02, 150, seed=0) for name, model in PUBLIC_MODELS.items()}
    draw_profiles(profiles, Path("profiles.png"))
