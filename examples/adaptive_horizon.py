"""An execution horizon that the policy chooses: it is asked again sooner where it is less sure of its chunk than usual.

    python examples/adaptive_horizon.py                  # about two minutes
    python examples/adaptive_horizon.py --episodes 256

Needs `pip install "chunkenv[agents]"`. `AdaptiveHorizon` compares samples of a flow policy, `DVAC` the last denoising
steps of one. The rows of decisions show what each of them chose.

What they are compared with has as many inferences: horizons drawn at random with the same mean, and the fixed ones next
to that. Episodes are paired: the same starts, noise and delays. A difference whose interval holds 0 is no difference.
`benchmarks/adaptive_horizons.py` does this for all levels.
"""

import argparse

import gymnasium as gym
import numpy as np

import chunkenv
from chunkenv.agents import load_pretrained
from chunkenv.bench.analysis import paired_difference, wilson
from chunkenv.strategies import DVAC, AdaptiveHorizon, Naive, RandomHorizon

TASK, HORIZON, SHORTEST, LONGEST, DELAY = "mjc_swimmer", 8, 2, 6, 1
ACTION_NOISE = 0.1
"""Standard deviation, as in the package's studies."""


def make_env(horizon):
    """A function that makes the level, with one execution horizon, or with (shortest, longest) to choose from."""
    chunks = dict(prediction_horizon=HORIZON, execution_horizon=horizon, latency=DELAY)
    return lambda: gym.make(f"chunkenv/kinetix-{TASK}-v0", observation="compact", action_noise=ACTION_NOISE, **chunks)


def play(policy, horizon, episodes):
    """Rows of episodes and of their decisions."""
    decisions = []
    rows = chunkenv.evaluate(make_env(horizon), policy, episodes, seed=0, decisions=decisions)
    return rows, decisions


def mean_ticks(decisions):
    """The mean number of ticks of a decision that its episode did not cut: the horizon that really was."""
    last = {row["episode"]: place for place, row in enumerate(decisions)}
    return np.mean([row["ticks"] for place, row in enumerate(decisions) if place != last[row["episode"]]])


def describe(name, rows, decisions):
    """A line of the table."""
    solved = wilson(sum(row["success"] for row in rows), len(rows))
    spent = sum(row["denoiser_evaluations"] for row in rows) / sum(row["ticks"] for row in rows)
    print(
        f"{name:<26}{100 * solved.estimate:6.1f} ({100 * solved.low:5.1f} to {100 * solved.high:5.1f})"
        f"{mean_ticks(decisions):9.2f}{len(decisions) / len(rows):11.1f}{spent:13.2f}"
    )


def compare(rows, name, theirs):
    """The paired difference in episodes solved."""
    values = [[[float(row["success"]) for row in each]] for each in (rows, theirs)]
    gain = paired_difference(*values)
    print(f"  minus {name}: {100 * gain.estimate:+.1f} points ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})")


def describe_choices(decisions):
    """Which horizons were chosen, and how often."""
    horizons, counts = np.unique([row["horizon"] for row in decisions], return_counts=True)
    print(f"  horizons chosen: {', '.join(f'{s}: {n}' for s, n in zip(horizons, counts, strict=True))}")


def play_others(policy, mean, episodes):
    """What an adaptive horizon is compared with: as many inferences in the mean, and the fixed horizons beside it."""
    below = int(np.clip(np.floor(mean), SHORTEST, LONGEST - 1))
    played = {f"random, mean {mean:.2f}": play(RandomHorizon(policy, mean), (SHORTEST, LONGEST), episodes)}
    return played | {f"fixed, {s}": play(Naive(policy), s, episodes) for s in (below, below + 1)}


def main(episodes, alpha):
    """Play each adaptive strategy, then what it is compared with."""
    policy = load_pretrained(TASK, "plain")
    print(f"{TASK}, {episodes} episodes, delay {DELAY}; 95 % intervals\n")
    print(f"{'horizon':<26}{'solved, %':>24}{'ticks':>9}{'decisions':>11}{'evaluations':>13}")
    print(f"{'':<26}{'':>24}{'each':>9}{'an episode':>11}{'a tick':>13}")
    for strategy in (AdaptiveHorizon(policy, alpha=alpha), DVAC(policy, alpha=alpha)):
        rows, decisions = play(strategy, (SHORTEST, LONGEST), episodes)
        describe(type(strategy).__name__, rows, decisions)
        others = play_others(policy, mean_ticks(decisions), episodes)
        for name, played in others.items():
            describe(name, *played)
        for name, (theirs, _) in others.items():
            compare(rows, name, theirs)
        describe_choices(decisions)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=24, help="of each method (24)")
    parser.add_argument("--alpha", type=float, default=1.0, help="standard deviations above the mean (1)")
    main(**vars(parser.parse_args()))
