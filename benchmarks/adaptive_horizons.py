"""Horizons that a policy chooses against fixed ones: how much is solved with how many inferences.

    python benchmarks/adaptive_horizons.py --levels mjc_swimmer --episodes 64        # about two minutes
    python benchmarks/adaptive_horizons.py --delay 0 --policies published

Every row plays the same episodes. A setting that chooses is compared with horizons drawn at random with the same mean,
level by level: they have as many inferences, for no reason. It is compared, too, with the best fixed horizon that has
no more inferences in an episode, which was chosen after the fact, so that this column favours the fixed one. Of a
difference whose interval holds 0 nothing is shown. An episode that is solved is over, so its inferences are few.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from chunkenv.bench.analysis import Interval, mean_rate, paired_difference
from chunkenv.bench.studies.methods import PREDICTION_HORIZON, flow_policy, play_policy
from chunkenv.evaluate import Row
from chunkenv.registration import LEVELS, POLICIES
from chunkenv.strategies import DVAC, RTC, AdaptiveHorizon, Denoiser, Naive, RandomHorizon, Strategy

ALPHAS = (0.0, 1.0, 2.0)

Make = Callable[[Denoiser], Strategy]
Played = dict[str, list[Row]]
"""The rows of a setting, by level."""


class Setting(NamedTuple):
    """What is played.

    Attributes:
        make: the strategy of a policy.
        horizon: one, or the least and the largest.
    """

    make: Make
    horizon: int | tuple[int, int]


class Table:
    """Plays settings on the same episodes, and keeps the rows.

    Args:
        policies: family, or folder of one.
        levels: names.
        delay: ticks.
        episodes: of each setting and level.
    """

    def __init__(self, policies: str, levels: Sequence[str], delay: int, episodes: int) -> None:
        self.policies, self.levels, self.delay, self.episodes = policies, levels, delay, episodes
        self.choices = (max(1, delay), PREDICTION_HORIZON - delay)

    def play(self, level: str, setting: Setting) -> list[Row]:
        """The rows of a level."""
        strategy = setting.make(flow_policy(level, "plain", self.policies))
        chunks = {"latency": self.delay, "execution_horizon": setting.horizon}
        return play_policy(level, strategy, range(self.episodes), 0, **chunks)

    def play_all(self, setting: Setting) -> Played:
        """The rows of all levels."""
        return {level: self.play(level, setting) for level in self.levels}

    def play_random(self, below: Make, played: Played) -> Played:
        """Horizons at random, on each level with the mean that another setting had there."""
        return {
            level: self.play(level, Setting(partial(_random, below, ticks_each(rows)), self.choices))
            for level, rows in played.items()
        }


def _random(below: Make, mean: float, policy: Denoiser) -> Strategy:
    return RandomHorizon(below(policy), mean)


def choosing(choices: tuple[int, int], below: Make) -> dict[str, Setting]:
    """The settings that choose."""
    settings: dict[str, Make] = {}
    for alpha in ALPHAS:
        settings[f"samples, alpha {alpha:g}"] = lambda policy, alpha=alpha: AdaptiveHorizon(below(policy), alpha=alpha)
    if below is Naive:
        settings |= {f"denoising, alpha {alpha:g}": partial(DVAC, alpha=alpha) for alpha in ALPHAS}
    return {name: Setting(make, choices) for name, make in settings.items()}


def solved(played: Played) -> list[list[float]]:
    """Whether each episode was solved, by level."""
    return [[float(row["success"]) for row in rows] for rows in played.values()]


def mean(played: Played, column: str) -> float:
    """The mean over levels of a column of the rows."""
    return float(np.mean([np.mean([row[column] for row in rows]) for rows in played.values()]))


def ticks_each(rows: Sequence[Row]) -> float:
    """The mean horizon: the last decision of an episode is cut, which leaves half of it in the mean."""
    return sum(row["ticks"] for row in rows) / sum(row["decisions"] - 0.5 for row in rows)


def best_of_no_more(fixed: Mapping[str, Played], played: Played) -> Played | None:
    """The fixed horizon that solves most with no more inferences in an episode; None if all have more."""
    allowed = [each for each in fixed.values() if mean(each, "decisions") <= mean(played, "decisions")]
    return max(allowed, key=lambda each: mean(each, "success"), default=None)


def percent(interval: Interval, sign: str = "") -> str:
    """In percent, with its ends.

    >>> percent(Interval(0.5, 0.4, 0.6), "+")
    '+50.0 (+40.0 to +60.0)'
    """
    estimate, low, high = (f"{100 * each:{sign}.1f}" for each in interval)
    return f"{estimate} ({low} to {high})"


def line(name: str, played: Played, others: Sequence[Played | None] = ()) -> str:
    """A row of the table."""
    rate = mean_rate([(int(sum(values)), len(values)) for values in solved(played)])
    each = float(np.mean([ticks_each(rows) for rows in played.values()]))
    gains = [percent(paired_difference(solved(played), solved(other)), "+") if other else "-" for other in others]
    numbers = f"{mean(played, 'decisions'):.1f} | {each:.2f} | {mean(played, 'denoiser_evaluations'):.0f}"
    return f"| {name} | {percent(rate)} | {numbers} | {' | '.join(gains) if gains else ' | '} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", default=POLICIES, help=f"family, or folder of one ({POLICIES})")
    parser.add_argument("--levels", nargs="+", default=LEVELS, choices=LEVELS)
    parser.add_argument("--delay", type=int, default=1, help="ticks, at most 3: with 4 there is nothing to choose (1)")
    parser.add_argument("--episodes", type=int, default=128, help="of each setting and level (128)")
    parser.add_argument("--below", choices=("naive", "rtc"), default="naive", help="the method of all rows (naive)")
    options = parser.parse_args()
    below: Make = {"naive": Naive, "rtc": RTC}[options.below]
    table = Table(options.policies, options.levels, options.delay, options.episodes)
    print("| horizon | solved, % | inferences an episode | ticks each | evaluations an episode |", end="")
    print(" minus random, points | minus the best fixed with no more inferences |")
    print("|---|---|---|---|---|---|---|")
    low, high = table.choices
    fixed = {f"fixed, {s}": table.play_all(Setting(below, s)) for s in range(low, high + 1)}
    for name, played in fixed.items():
        print(line(name, played), flush=True)
    for name, setting in choosing(table.choices, below).items():
        played = table.play_all(setting)
        others = table.play_random(below, played), best_of_no_more(fixed, played)
        print(line(name, played, others), flush=True)


if __name__ == "__main__":
    main()
