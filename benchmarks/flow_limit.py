"""The upper limit of a policy that imitates chunks: a perfect imitator, played open loop.

    python benchmarks/flow_limit.py --experts experts --levels mjc_swimmer mjc_walker

The data contain an expert's actions under action noise: a chunk has the expert's *responses* to noise that will not
occur again. A perfect imitator draws its chunks from exactly that distribution: it plays the expert in a copy of the
environment under other noise, and executes those actions, s rows at a time. It is compared with the chunk of a copy
without any noise, which no imitator of these data can know. `spread` is the distance of a row from the one without
noise, in standard deviations of the actions: 1.4 would be a row that is independent of the observation.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from chunkenv.agents import Expert, load_best_expert
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.registration import ACTION_NOISE, LEVELS, TIME_LIMIT

HORIZONS = (1, 2, 4, 8)
IDLE = 0.02  # a channel with a smaller standard deviation is unused


class Worlds:
    """N environments of a level that can be played and copied; finished episodes do not advance."""

    def __init__(self, level: str, count: int) -> None:
        self._envs = KinetixVectorEnv(level, count, observation="compact", threads=1, autoreset_mode="Disabled")
        self.observations = self._envs.reset(seed=0)[0]
        self.alive, self.success = np.ones(count, bool), np.zeros(count, bool)

    def copy_from(self, other: Worlds) -> None:
        """Continue from the states of other environments."""
        self._envs.set_states(other._envs.get_states())
        self.observations, self.alive = other.observations, other.alive.copy()

    def play(self, actions: np.ndarray, noise: np.ndarray) -> None:
        """Play actions [N, T, 6] with added noise."""
        played = self._envs.play((actions + noise).astype(np.float32), np.where(self.alive, actions.shape[1], 0))
        self.success |= played.infos["success"] & self.alive
        self.alive &= ~(played.terminated | played.truncated)
        self.observations = played.observations


def chunks(expert: Expert, copy: Worlds, rows: int, noise: np.ndarray) -> np.ndarray:
    """The expert's actions in the first `rows` ticks under this noise [N, rows, 6]."""
    actions = np.zeros_like(noise)
    for row in range(rows):
        actions[:, row] = expert.actions(copy.observations)
        copy.play(actions[:, row : row + 1], noise[:, row : row + 1])
    return actions


def solved(expert: Expert, horizon: int, episodes: int, imagined: float) -> float:
    """The solve rate of chunks that the expert plays in a copy with this noise, with `horizon` rows executed."""
    world, copy = (Worlds(expert.level, episodes) for _ in range(2))
    rng = np.random.default_rng(0)
    for _ in range(0, TIME_LIMIT, horizon):
        copy.copy_from(world)
        drawn = rng.standard_normal((2, episodes, horizon, 6), np.float32)
        world.play(chunks(expert, copy, horizon, imagined * drawn[0]), ACTION_NOISE * drawn[1])
        if not world.alive.any():
            break
    return float(world.success.mean())


def spread(expert: Expert, episodes: int) -> list[float]:
    """For each row, the distance of actions under noise from those without noise, in standard deviations."""
    world, noisy, still = (Worlds(expert.level, episodes) for _ in range(3))
    rng, answers, plans = np.random.default_rng(0), [], []
    rows = max(HORIZONS)
    for _ in range(0, TIME_LIMIT // 4, rows):
        noise = ACTION_NOISE * rng.standard_normal((episodes, rows, 6), np.float32)
        noisy.copy_from(world)
        still.copy_from(world)
        pair = chunks(expert, noisy, rows, noise), chunks(expert, still, rows, 0 * noise)
        both = noisy.alive & still.alive
        answers.append(pair[0][both])
        plans.append(pair[1][both])
        world.play(pair[0], noise)
    seen, meant = np.concatenate(answers), np.concatenate(plans)
    std = seen.std(axis=(0, 1))
    away = np.sqrt(((seen - meant) ** 2).mean(axis=0))[:, std > IDLE] / std[std > IDLE]
    return away.mean(axis=1).tolist()


def line(expert: Expert, episodes: int) -> str:
    """A row of the table."""
    imitator, clairvoyant = (
        " / ".join(f"{100 * solved(expert, horizon, episodes, imagined):.0f}" for horizon in HORIZONS)
        for imagined in (ACTION_NOISE, 0.0)
    )
    apart = spread(expert, episodes)
    return f"| {expert.level} | {clairvoyant} | {imitator} | {apart[1]:.2f} | {apart[3]:.2f} | {apart[7]:.2f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experts", type=Path, default=Path("results/experts"), help="folder with <level>/seed<k>/")
    parser.add_argument("--levels", nargs="+", default=LEVELS, choices=LEVELS)
    parser.add_argument("--episodes", type=int, default=512)
    chosen = parser.parse_args()
    shown = " / ".join(f"{horizon}" for horizon in HORIZONS)
    print(f"| level | chunks planned without noise, s = {shown} | perfect imitator | spread, row 1 | row 3 | row 7 |")
    print("|---|---|---|---|---|---|")
    for level in chosen.levels:
        print(line(load_best_expert(chosen.experts / level / "seed0"), chosen.episodes), flush=True)


if __name__ == "__main__":
    main()
