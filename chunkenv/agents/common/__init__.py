"""What agents share: their settings, shape and update, their critics, and the files that they are stored in."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.common.causal_critics import initial_causal_critics, values_by_length
    from chunkenv.agents.common.checkpoint_file import Arrays, Facts
    from chunkenv.agents.common.critics import (
        best_chunks,
        critic_values,
        fill_unplayed,
        initial_critics,
        mean_counted,
        window_actions,
    )
    from chunkenv.agents.common.learner import AgentSettings, Info, Learner, Params, as_tree
    from chunkenv.agents.common.normaliser import Normaliser
    from chunkenv.agents.common.values import (
        cross_entropy_errors,
        expectile_cross_entropy_errors,
        expectile_errors,
        quantile_errors,
    )

__all__ = [
    "AgentSettings",
    "Arrays",
    "Facts",
    "Info",
    "Learner",
    "Normaliser",
    "Params",
    "as_tree",
    "best_chunks",
    "critic_values",
    "cross_entropy_errors",
    "expectile_cross_entropy_errors",
    "expectile_errors",
    "fill_unplayed",
    "initial_causal_critics",
    "initial_critics",
    "mean_counted",
    "quantile_errors",
    "values_by_length",
    "window_actions",
]
__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "causal_critics": "initial_causal_critics values_by_length",
        "checkpoint_file": "Arrays Facts",
        "critics": "best_chunks critic_values fill_unplayed initial_critics mean_counted window_actions",
        "learner": "AgentSettings Info Learner Params as_tree",
        "normaliser": "Normaliser",
        "values": "cross_entropy_errors expectile_cross_entropy_errors expectile_errors quantile_errors",
    },
    "agents",
)
