"""Assignment 4: asynchronous execution. Fill in every TODO; keep the names and arguments of the functions.

Read `text.md` first. `chunkenv course check 4 FOLDER` runs the public tests on `FOLDER/solution.py`.
`python solution.py` plays a Kinetix level with your functions and draws (needs `pip install "chunkenv[agents]"`).

Arrays are NumPy's. N chunks have the shape [N, H, A]: H rows, one for each tick, of A numbers. You are given two
functions of a learned policy:

    velocity(chunks, time)      [N, H, A]: where the chunks move at flow time `time`; 0 is noise, 1 is data
    vjp(chunks, time, error)    [N, H, A]: `error` [N, H, A] times the transposed Jacobian of the velocity in the chunks
"""

# %%
from __future__ import annotations

import numpy as np

HORIZON, STEPS, MAX_GUIDANCE = 8, 5, 5.0
DECAY = 0.1
LEVEL, EPISODES = "mjc_half_cheetah", 128


# %%
def naive_chunks(velocity, noise: np.ndarray, steps: int) -> np.ndarray:
    """Chunks from noise along the velocity, [N, H, A].

    Args:
        velocity: see above.
        noise: [N, H, A], the chunks at flow time 0.
        steps: Euler steps of equal length from flow time 0 to 1.
    """
    # TODO 1: a step begins at a flow time and goes on with the velocity that is there.
    raise NotImplementedError("TODO 1: naive_chunks")


# %%
class Ensembling:
    """The mean of all rows that chunks of this episode have for a tick; the oldest counts most."""

    def __init__(self) -> None:
        # TODO 2: what do you have to remember?
        pass

    def reset(self) -> None:
        """Begin an episode."""
        # TODO 2
        raise NotImplementedError("TODO 2: Ensembling.reset")

    def infer(self, observation: np.ndarray, request) -> np.ndarray:
        """The chunk of means for the ticks of a new chunk, float [H, A].

        The mean of a tick is over the rows of all chunks that have one for it, this one too, with weights exp(-DECAY *
        i): i is 0 for the oldest of these chunks, 1 for the next, and so on. Weights are divided by their sum.

        Args:
            observation: the new chunk [H, A], as the flow policy made it.
            request: `request.tick` is the tick that row 0 of the new chunk is for. Requests come at any ticks.
        """
        # TODO 2
        raise NotImplementedError("TODO 2: Ensembling.infer")


# %%
def prefix_weights(delay: int, execution_horizon: int, left: int, horizon: int) -> np.ndarray:
    """How much each row of the new chunk is held to the plan, [H].

    The plan is what is left of the last chunk: its row i is for the same tick as row i of the new chunk.

    Args:
        delay: d, ticks that the inference is expected to take.
        execution_horizon: s, ticks between two requests.
        left: rows of the plan that are real. Weights of all others are 0.
        horizon: H.
    """
    # TODO 3: the weights end at H - s, or where the plan ends, if that is earlier.
    raise NotImplementedError("TODO 3: prefix_weights")


# %%
def guidance_weight(time: float, max_guidance: float) -> float:
    """How strongly the guidance pulls at flow time `time` in [0, 1), at most `max_guidance`."""
    # TODO 4: what is 1 / t at flow time 0?
    raise NotImplementedError("TODO 4: guidance_weight")


# %%
def guided_velocity(
    velocity, vjp, chunks: np.ndarray, time: float, plan: np.ndarray, weights: np.ndarray, max_guidance: float
) -> np.ndarray:
    """The velocity that also leads to the plan, [N, H, A].

    Args:
        velocity: see above.
        vjp: see above.
        chunks: [N, H, A], at flow time `time`.
        time: flow time in [0, 1).
        plan: [N, H, A].
        weights: of the plan's rows, [N, H, 1].
        max_guidance: at most so strong is the guidance.
    """
    # TODO 5: `vjp` is of the velocity. What is the Jacobian of the clean chunk that you expect?
    raise NotImplementedError("TODO 5: guided_velocity")


# %%
def guided_chunks(
    velocity, vjp, noise: np.ndarray, plan: np.ndarray, weights: np.ndarray, steps: int, max_guidance: float
) -> np.ndarray:
    """Chunks from noise along the guided velocity, [N, H, A]; the arguments are those of the functions above."""
    # TODO 6
    raise NotImplementedError("TODO 6: guided_chunks")


# %%
def corrected_action(head, observation: np.ndarray, chunk: np.ndarray, requested: int, tick: int) -> np.ndarray:
    """The action of a tick: what was planned for it, and what a correction head adds; from -1 to 1, [A].

    Args:
        head: `head(observation, planned, row)` is what is added, [A]: to the planned action [A], which is row `row` of
            its chunk.
        observation: of this tick, not of the request.
        chunk: [H, A], that acts in this tick.
        requested: the tick in which it was requested.
        tick: this tick, from `requested` to requested + H - 1.
    """
    # TODO 7
    raise NotImplementedError("TODO 7: corrected_action")


# %%
def train_head(
    weights: np.ndarray, features: np.ndarray, planned: np.ndarray, labels: np.ndarray, rate: float
) -> np.ndarray:
    """The weights of a linear head after one step of gradient descent, [F, A].

    The head adds features @ weights to the planned actions. Its loss is the squared distance to the right actions,
    summed over the A numbers of an action and averaged over the B samples.

    Args:
        weights: before the step, [F, A].
        features: [B, F].
        planned: actions as they were planned, [B, A].
        labels: what would have been right, [B, A].
        rate: the gradient is multiplied with it.
    """
    # TODO 8: no loop is needed. Do not change `weights` itself.
    raise NotImplementedError("TODO 8: train_head")


# %%
def wilson(solved: int, episodes: int) -> list[float]:
    """The solve rate and Wilson's interval of 95 %: [rate, low, high].

    Args:
        solved: episodes that were solved, from 0 to all.
        episodes: that were played, at least 1.
    """
    # TODO 9: z is 1.96.
    raise NotImplementedError("TODO 9: wilson")


# %% [markdown]
# The rest is given: it plays the level with your functions, for delays of 0 to 4 ticks, and draws three pictures.


# %%
def sample(velocity, vjp, noise, plan, weights):
    """Naive chunks: the plan is not looked at."""
    return naive_chunks(velocity, noise, STEPS)


def guided_sample(velocity, vjp, noise, plan, weights):
    """RTC's chunks."""
    return guided_chunks(velocity, vjp, noise, plan, weights, STEPS, MAX_GUIDANCE)


# %%
if __name__ == "__main__":
    from pathlib import Path

    from chunkenv.course import Ensembled, draw_solve_rates, draw_two_ways, draw_weights, late_flow, solved_by_delay

    draw_weights(prefix_weights, Path("weights.png"))
    draw_two_ways(sample, guided_sample, prefix_weights, Ensembling, Path("two_ways.png"))
    naive, rtc = (late_flow(LEVEL, how, prefix_weights) for how in (sample, guided_sample))
    ways = {"naive": naive, "RTC": rtc, "ensembling": Ensembled(naive, Ensembling)}
    curves = {name: solved_by_delay(way, LEVEL, range(5), EPISODES, seed=0) for name, way in ways.items()}
    draw_solve_rates(curves, wilson, Path("solved.png"))
    for name, curve in curves.items():
        print(name, {delay: [round(each, 2) for each in wilson(*counts)] for delay, counts in curve.items()})
