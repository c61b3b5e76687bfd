"""The schema of rows: what every episode says, what is measured where that can be done, and the row of a decision."""

from __future__ import annotations

from typing import Any, NamedTuple

Row = dict[str, Any]
"""One episode, or one decision: values by column. Studies add the fields of a cell, and to an episode its number and
results of their own."""


class Column(NamedTuple):
    """A column of rows.

    Attributes:
        kind: the type of its values.
        heading: how tables head it, with the unit.
        meaning: what it means.
        timed: whether it is wall time: two runs of the same seed differ in it.
    """

    kind: type[bool] | type[int] | type[float]
    heading: str
    meaning: str
    timed: bool = False


EPISODE = {
    "seed": Column(int, "seed", "the episode's own"),
    "ticks": Column(int, "ticks", "control steps played"),
    "return": Column(float, "return", "sum of the undiscounted rewards of all ticks"),
    "success": Column(
        bool, "success", "whether the info of any tick reported it (`success` or `is_success`), or None if none says"
    ),
    "underruns": Column(int, "underruns", "ticks without a row to execute"),
    "decisions": Column(int, "decisions", "chunks inferred"),
}
"""What every row has; only `success` may be None."""
SMOOTHNESS = {
    "mean_staleness": Column(float, "staleness (ticks)", "mean age of the observation behind the action executed"),
    "boundary_jump": Column(float, "boundary jump", "mean norm of the action's change where the chunk switches"),
    "chunk_change": Column(float, "change in chunks", "mean norm of the action's change inside chunks"),
    "jerk": Column(float, "jerk", "mean norm of the actions' third difference"),
}
"""Of an environment with info='actions' or 'full'; None where an episode was too short."""
MEASURES = SMOOTHNESS | {
    "first_success": Column(int, "first success (tick)", "control steps played when an info first reported success"),
    "denoiser_evaluations": Column(float, "denoiser evaluations", "in the whole episode, of a policy with a `cost`"),
    "charged_latency": Column(float, "charged latency (s)", "mean seconds that the clock charged for a decision"),
}
"""What rows have where it was measured."""

DECISION = {
    "decision": Column(int, "decision", "its number in the episode, from 0"),
    "tick": Column(int, "tick", "control steps played before it was asked for"),
    "delay": Column(int, "delay (ticks)", "ticks that its inference took"),
    "horizon": Column(
        int, "horizon (ticks)", "ticks to the next request that were wanted: s, or what the policy chose"
    ),
    "ticks": Column(int, "ticks", "control steps played until the next decision, or the end"),
    "underruns": Column(int, "underruns", "those of them without a row to execute"),
    "evaluations": Column(int, "denoiser evaluations", "in its inference, of a policy with a `cost`; else None"),
    "seconds": Column(float, "inference (s)", "wall seconds that `infer`, or `infer_batch`, took", timed=True),
}
"""What the row of a decision has, after `episode`, the number of its episode; only `evaluations` may be None.

`ticks`, `underruns` and `evaluations` add up to those of the episode's row.
"""
