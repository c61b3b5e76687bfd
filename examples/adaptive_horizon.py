"""An execution horizon that the policy chooses: fewer rows are executed where its samples disagree.

    python examples/adaptive_horizon.py                  # about a minute
    python examples/adaptive_horizon.py --episodes 256

Needs `pip install "chunkenv[agents]"`. Two samples of a flow policy say how far ahead it is sure of itself; where they
disagree, four more are drawn to be certain. Rows are executed up to the first one on which the samples differ by more
than a tolerance. So horizons and costs differ from decision to decision, and the rows of decisions show both.

What it is compared with has as many inferences: horizons drawn at random with the same mean, and the fixed ones next to
that. Episodes are paired: the same starts, noise and delays. A difference whose interval holds 0 is no difference.
"""

import argparse

import gymnasium as gym
import numpy as np

import chunkenv
from chunkenv.agents import load_pretrained
from chunkenv.bench.analysis import paired_difference, pooled, wilson
from chunkenv.strategies import Cost, Naive, Strategy, cost_of, request_of, stack_requests

TASK, HORIZON, SHORTEST, LONGEST, DELAY = "mjc_swimmer", 8, 2, 6, 1
ACTION_NOISE = 0.1
"""Standard deviation, as in the package's studies."""
FIRST, MORE = 2, 4
"""Samples of every decision, and those that are drawn in addition where the first disagree."""


class AdaptiveHorizon(Strategy):
    """Executes the first sample up to the row on which the samples disagree, within `request.horizons`.

    Args:
        policy: a flow policy: it draws from `request.rng`.
        tolerance: the largest standard deviation of a row's actions, the mean over their coordinates.
    """

    needs = ("infer_batch",)

    def __init__(self, policy, tolerance):
        super().__init__(policy)
        self.tolerance = tolerance
        self._costs = [cost_of(policy).times(FIRST)]

    @property
    def cost(self) -> Cost:
        """What the last decision cost."""
        return self._costs[0]

    @property
    def costs(self) -> list[Cost]:
        """What each decision of the last batch cost."""
        return self._costs

    def infer_batch(self, observations, request):
        """The chunks [N, H, A], and how many rows of each are executed, int[N]."""
        samples = self._draw(observations, request, FIRST)
        agreed, counts = self._agreed(samples), np.full(len(request.tick), FIRST)
        unsure = np.flatnonzero(agreed < request.horizons[1])
        if unsure.size:
            some = stack_requests([request_of(request, index) for index in unsure], rows=samples.shape[2])
            more = self._draw(observations[unsure], some, MORE)
            agreed[unsure] = self._agreed(np.concatenate([samples[:, unsure], more]))
            counts[unsure] += MORE
        self._costs = [cost_of(self.policy).times(count) for count in counts.tolist()]
        return samples[0], np.clip(agreed, *request.horizons)

    def _draw(self, observations, request, count):
        """Samples of each request, [S, N, H, A]."""
        return np.stack([self.policy.infer_batch(observations, request) for _ in range(count)])

    def _agreed(self, samples):
        """The number of rows before the first on which the samples disagree, int[N]."""
        spread = np.std(samples, axis=0).mean(axis=-1)
        ends = np.full((len(spread), 1), np.inf)
        return np.argmax(np.hstack([spread, ends]) > self.tolerance, axis=1)


class RandomHorizon(Strategy):
    """Whole horizons next to a mean, at random: as many inferences as another method, for no reason."""

    def __init__(self, policy, mean):
        super().__init__(policy)
        self.mean = mean

    def infer_batch(self, observations, request):
        """The policy's chunks; horizons are drawn after them, so that the policy's noise is what it would be."""
        chunks = super().infer_batch(observations, request)
        return chunks, np.array([int(self.mean + rng.random()) for rng in request.rng])


def make_env(horizon):
    """A function that makes the level, with one execution horizon, or with (shortest, longest) to choose from."""
    chunks = dict(prediction_horizon=HORIZON, execution_horizon=horizon, latency=DELAY)
    return lambda: gym.make(f"chunkenv/kinetix-{TASK}-v0", observation="compact", action_noise=ACTION_NOISE, **chunks)


def play(policy, horizon, episodes):
    """Rows of episodes and of their decisions."""
    decisions = []
    rows = chunkenv.evaluate(make_env(horizon), policy, episodes, seed=0, decisions=decisions)
    check(rows, decisions)
    return rows, decisions


def check(rows, decisions):
    """What the rows of decisions count is what those of the episodes count."""
    for name, of_decision in (("ticks", "ticks"), ("underruns", "underruns"), ("denoiser_evaluations", "evaluations")):
        assert sum(row[name] for row in rows) == sum(row[of_decision] for row in decisions)
    assert sum(row["decisions"] for row in rows) == len(decisions)


def mean_ticks(decisions):
    """The mean number of ticks of a decision that its episode did not cut: the horizon that really was."""
    last = {row["episode"]: place for place, row in enumerate(decisions)}
    return np.mean([row["ticks"] for place, row in enumerate(decisions) if place != last[row["episode"]]])


def describe(name, rows, decisions):
    """A line of the table."""
    solved = wilson(sum(row["success"] for row in rows), len(rows))
    returns = pooled([[row["return"] for row in rows]])
    spent = sum(row["denoiser_evaluations"] for row in rows) / sum(row["ticks"] for row in rows)
    print(
        f"{name:<22}{100 * solved.estimate:6.1f} ({100 * solved.low:5.1f} to {100 * solved.high:5.1f})"
        f"{returns.estimate:8.3f} ({returns.low:6.3f} to {returns.high:6.3f})"
        f"{mean_ticks(decisions):9.2f}{len(decisions) / len(rows):11.1f}{spent:13.2f}"
    )


def compare(name, ours, theirs):
    """The paired difference in episodes solved."""
    values = [[[float(row["success"]) for row in rows]] for rows in (ours, theirs)]
    gain = paired_difference(*values)
    ends = f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f}"
    print(f"  solved, adaptive minus {name}: {100 * gain.estimate:+.1f} ({ends})")


def describe_choices(decisions):
    """What differed from decision to decision."""
    horizons, counts = np.unique([row["horizon"] for row in decisions], return_counts=True)
    spent = np.array([row["evaluations"] for row in decisions])
    print(f"  horizons chosen: {', '.join(f'{s}: {n}' for s, n in zip(horizons, counts, strict=True))}")
    print(f"  decisions for which more samples were drawn: {np.mean(spent > spent.min()):.0%}")


def play_others(policy, mean, episodes):
    """What the adaptive strategy is compared with: as many inferences in the mean, and the fixed horizons beside it."""
    below = int(np.clip(np.floor(mean), SHORTEST, LONGEST - 1))
    played = {f"random, mean {mean:.2f}": play(RandomHorizon(policy, mean), (SHORTEST, LONGEST), episodes)}
    return played | {f"fixed, {s}": play(Naive(policy), s, episodes) for s in (below, below + 1)}


def main(episodes, tolerance):
    """Play the adaptive strategy, then what it is compared with."""
    policy = load_pretrained(TASK, "plain")
    rows, decisions = play(AdaptiveHorizon(policy, tolerance), (SHORTEST, LONGEST), episodes)
    others = play_others(policy, mean_ticks(decisions), episodes)
    print(f"{TASK}, {episodes} episodes, delay {DELAY}; 95 % intervals\n")
    print(f"{'horizon':<22}{'solved, %':>24}{'return':>27}{'ticks':>9}{'decisions':>11}{'evaluations':>13}")
    print(f"{'':<22}{'':>24}{'':>27}{'each':>9}{'an episode':>11}{'a tick':>13}")
    describe("adaptive", rows, decisions)
    for name, played in others.items():
        describe(name, *played)
    print()
    for name, (theirs, _) in others.items():
        compare(name, rows, theirs)
    describe_choices(decisions)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=24, help="of each method (24)")
    parser.add_argument("--tolerance", type=float, default=0.05, help="in units of the actions (0.05)")
    main(**vars(parser.parse_args()))
