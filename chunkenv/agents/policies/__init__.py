"""Trained agents as policies that answer requests for chunks, and experts that act by one observation."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.policies.behaviour_policy import BehaviourPolicy, chunk_values
    from chunkenv.agents.policies.chunk_policy import ChunkPolicy
    from chunkenv.agents.policies.correction_head import CorrectionHead, load_correction_head
    from chunkenv.agents.policies.expert import Expert
    from chunkenv.agents.policies.expert_checkpoints import (
        load_best_expert,
        load_expert,
        load_experts,
        run_folder,
        save_expert,
    )
    from chunkenv.agents.policies.flow_policy import FlowPolicy, load_flow_policy
    from chunkenv.agents.policies.guided_policy import GuidedPolicy
    from chunkenv.agents.policies.learned_model import LearnedModel, load_learned_model
    from chunkenv.agents.policies.subgoal_chooser import choose_subgoals

__all__ = [
    "BehaviourPolicy",
    "ChunkPolicy",
    "CorrectionHead",
    "Expert",
    "FlowPolicy",
    "GuidedPolicy",
    "LearnedModel",
    "choose_subgoals",
    "chunk_values",
    "load_best_expert",
    "load_correction_head",
    "load_expert",
    "load_experts",
    "load_flow_policy",
    "load_learned_model",
    "run_folder",
    "save_expert",
]
__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "behaviour_policy": "BehaviourPolicy chunk_values",
        "chunk_policy": "ChunkPolicy",
        "correction_head": "CorrectionHead load_correction_head",
        "expert": "Expert",
        "expert_checkpoints": "load_best_expert load_expert load_experts run_folder save_expert",
        "flow_policy": "FlowPolicy load_flow_policy",
        "guided_policy": "GuidedPolicy",
        "learned_model": "LearnedModel load_learned_model",
        "subgoal_chooser": "choose_subgoals",
    },
    "agents",
)
