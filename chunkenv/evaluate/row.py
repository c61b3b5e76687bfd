"""The schema of rows: what every episode says, and what is measured where the environment or the policy allows it."""

from __future__ import annotations

from typing import Any, NamedTuple

Row = dict[str, Any]
"""One episode: values by column. Studies add the fields of a cell, the episode's number, and results of their own."""


class Column(NamedTuple):
    """A column of rows: the type of its values, how tables head it (with the unit), and what it means."""

    kind: type[bool] | type[int] | type[float]
    heading: str
    meaning: str


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
