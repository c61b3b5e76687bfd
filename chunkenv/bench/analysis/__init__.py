"""From rows to rates, intervals and differences."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.bench.analysis.hypotheses import Finding, Hypothesis, check_hypotheses
    from chunkenv.bench.analysis.intervals import (
        Interval,
        interquartile_mean,
        mean_rate,
        paired_difference,
        pooled,
        probability_of_improvement,
        wilson,
    )
    from chunkenv.bench.analysis.solve_rates import Setting, Solved, pooled_rates, solve_difference, solve_rate
    from chunkenv.bench.analysis.study_progress import Progress, progress

__all__ = [
    "Finding",
    "Hypothesis",
    "Interval",
    "Progress",
    "Setting",
    "Solved",
    "check_hypotheses",
    "interquartile_mean",
    "mean_rate",
    "paired_difference",
    "pooled",
    "pooled_rates",
    "probability_of_improvement",
    "progress",
    "solve_difference",
    "solve_rate",
    "wilson",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "hypotheses": "Finding Hypothesis check_hypotheses",
        "intervals": (
            "Interval interquartile_mean mean_rate paired_difference pooled probability_of_improvement wilson"
        ),
        "solve_rates": "Setting Solved pooled_rates solve_difference solve_rate",
        "study_progress": "Progress progress",
    },
)
