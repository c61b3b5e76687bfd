"""An assignment of one's own. Fill in every TODO; keep the names and arguments of the functions."""

# %%
from __future__ import annotations


# %%
def late_rows(delay: int, prediction_horizon: int) -> list[int]:
    """The rows of a chunk that can never run, because they come too late.

    Args:
        delay: ticks that the inference took, at least 0.
        prediction_horizon: rows of the chunk. Row i is meant for the tick i ticks after the request.
    """
    # TODO 1
    raise NotImplementedError("TODO 1: late_rows")
