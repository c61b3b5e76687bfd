"""Assignment 4, asynchronous execution: the reference."""

from __future__ import annotations

import numpy as np

HORIZON, STEPS, MAX_GUIDANCE = 8, 5, 5.0
DECAY = 0.1
LEVEL, EPISODES = "mjc_half_cheetah", 128


def naive_chunks(velocity, noise: np.ndarray, steps: int) -> np.ndarray:
    """Chunks from noise along the velocity, [N, H, A]."""
    chunks = noise
    for step in range(steps):
        chunks = chunks + velocity(chunks, step / steps) / steps
    return chunks


class Ensembling:
    """The mean of all rows that chunks of this episode have for a tick; the oldest counts most."""

    def __init__(self) -> None:
        self.chunks: list[tuple[int, np.ndarray]] = []

    def reset(self) -> None:
        """Begin an episode."""
        self.chunks = []

    def infer(self, observation: np.ndarray, request) -> np.ndarray:
        """The chunk of means for the ticks of a new chunk, float [H, A]."""
        chunk = np.asarray(observation)
        self.chunks.append((request.tick, chunk))
        return np.stack([self.mean_of(request.tick + row) for row in range(len(chunk))])

    def mean_of(self, tick: int) -> np.ndarray:
        """The weighted mean of what is meant for a tick, [A]."""
        rows = [chunk[tick - begun] for begun, chunk in self.chunks if tick - begun < len(chunk)]
        weights = np.exp(-DECAY * np.arange(len(rows)))
        return np.average(rows, axis=0, weights=weights)


def prefix_weights(delay: int, execution_horizon: int, left: int, horizon: int) -> np.ndarray:
    """How much each row of the new chunk is held to the plan, [H]."""
    end = min(left, horizon - execution_horizon)
    start = min(delay, end)
    row = np.arange(horizon)
    decay = np.clip((end - row) / (end - start + 1), 0.0, 1.0)
    return np.where(row < start, 1.0, decay * np.expm1(decay) / np.expm1(1.0))


def guidance_weight(time: float, max_guidance: float) -> float:
    """How strongly the guidance pulls at a flow time."""
    if time == 0:
        return max_guidance
    return min((time**2 + (1 - time) ** 2) / (time * (1 - time)), max_guidance)


def guided_velocity(
    velocity, vjp, chunks: np.ndarray, time: float, plan: np.ndarray, weights: np.ndarray, max_guidance: float
) -> np.ndarray:
    """The velocity that also leads to the plan, [N, H, A]."""
    plain = velocity(chunks, time)
    expected = chunks + (1 - time) * plain
    error = weights * (plan - expected)
    pulled = error + (1 - time) * vjp(chunks, time, error)
    return plain + guidance_weight(time, max_guidance) * pulled


def guided_chunks(
    velocity, vjp, noise: np.ndarray, plan: np.ndarray, weights: np.ndarray, steps: int, max_guidance: float
) -> np.ndarray:
    """Chunks from noise along the guided velocity, [N, H, A]."""

    def guided(chunks: np.ndarray, time: float) -> np.ndarray:
        return guided_velocity(velocity, vjp, chunks, time, plan, weights, max_guidance)

    return naive_chunks(guided, noise, steps)


def corrected_action(head, observation: np.ndarray, chunk: np.ndarray, requested: int, tick: int) -> np.ndarray:
    """The action of a tick: what was planned for it, and what the head adds, [A]."""
    row = tick - requested
    return np.clip(chunk[row] + head(observation, chunk[row], row), -1.0, 1.0)


def train_head(
    weights: np.ndarray, features: np.ndarray, planned: np.ndarray, labels: np.ndarray, rate: float
) -> np.ndarray:
    """The weights of a linear head after one step of gradient descent, [F, A]."""
    error = planned + features @ weights - labels
    return weights - rate * 2 / len(features) * features.T @ error


def wilson(solved: int, episodes: int) -> list[float]:
    """The solve rate and Wilson's interval of 95 %: [rate, low, high]."""
    z, rate = 1.96, solved / episodes
    shrink = 1 + z**2 / episodes
    centre = (rate + z**2 / (2 * episodes)) / shrink
    half = z / shrink * np.sqrt(rate * (1 - rate) / episodes + (z / (2 * episodes)) ** 2)
    return [rate, float(centre - half), float(centre + half)]


def sample(velocity, vjp, noise, plan, weights):
    """Naive chunks: the plan is not looked at."""
    return naive_chunks(velocity, noise, STEPS)


def guided_sample(velocity, vjp, noise, plan, weights):
    """RTC's chunks."""
    return guided_chunks(velocity, vjp, noise, plan, weights, STEPS, MAX_GUIDANCE)


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
