"""Data collection: experts, planners and oracles play blocks of episodes, which become a dataset."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.collect.collectors import collect, collect_oracle, collect_plans
    from chunkenv.collect.expert_files import read_experts
    from chunkenv.collect.experts import Demonstrator, ExpertSource, read_sources
    from chunkenv.collect.policy_runs import collect_runs
    from chunkenv.collect.worded_goals import read_goals

__all__ = [
    "Demonstrator",
    "ExpertSource",
    "collect",
    "collect_oracle",
    "collect_plans",
    "collect_runs",
    "read_experts",
    "read_goals",
    "read_sources",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "collectors": "collect collect_oracle collect_plans",
        "expert_files": "read_experts",
        "experts": "Demonstrator ExpertSource read_sources",
        "policy_runs": "collect_runs",
        "worded_goals": "read_goals",
    },
)
