"""What Black et al. report of real-time chunking, as hypotheses that our own rows confirm or refute.

Source: arXiv 2506.07339 (RTC) and 2512.05964 (training-time RTC).
"""

from __future__ import annotations

from chunkenv.bench.analysis.hypotheses import Hypothesis
from chunkenv.bench.analysis.solve_rates import Setting

EQUAL = 0.02
"""Two points: less does not count as worse, where the hypothesis is that something is at least equal."""
TRAINING_FREE = ("naive", "synchronous", "ensembling", "bid", "hard-masking")


def rtc_hypotheses(delays: tuple[int, ...], methods: tuple[str, ...]) -> list[Hypothesis]:
    """The hypotheses, at execution horizon max(1, d)."""
    late = [delay for delay in delays if delay > 0]
    return [
        *(_falls(method, delays[0], delays[-1]) for method in methods),
        *(_falls_less("rtc", other, delays[0], delays[-1]) for other in TRAINING_FREE),
        *(_above("rtc", "naive", delay) for delay in late),
        *(_above("rtc", "bid", delay) for delay in late),
        *(_above("rtc", "hard-masking", delay) for delay in late if delay <= 2),
        *(_above("naive", "ensembling", delay) for delay in delays),
        *(_above("training-time-rtc", "rtc", delay, EQUAL) for delay in late if delay >= 2),
    ]


def at(method: str, delay: int) -> Setting:
    """A method at a delay d, with s = max(1, d)."""
    return Setting(method, delay, max(1, delay))


def _above(first: str, second: str, delay: int, margin: float = 0.0) -> Hypothesis:
    how = "is at least equal to" if margin else "solves more than"
    return Hypothesis(f"{first} {how} {second} at d = {delay}", (at(first, delay),), (at(second, delay),), margin)


def _falls(method: str, first: int, last: int) -> Hypothesis:
    return Hypothesis(f"{method} falls from d = {first} to d = {last}", (at(method, first),), (at(method, last),))


def _falls_less(method: str, other: str, first: int, last: int) -> Hypothesis:
    plus = (at(method, last), at(other, first))
    minus = (at(method, first), at(other, last))
    return Hypothesis(f"{method} falls less than {other} from d = {first} to d = {last}", plus, minus)
