"""Trained agents as policies that answer requests for chunks, and experts that act by one observation."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.policies.behaviour_policy import BehaviourPolicy, chunk_values
    from chunkenv.agents.policies.chunk_policy import ChunkPolicy
    from chunkenv.agents.policies.expert import Expert
    from chunkenv.agents.policies.expert_checkpoints import (
        load_best_expert,
        load_expert,
        load_experts,
        run_folder,
        save_expert,
    )
    from chunkenv.agents.policies.flow_policy import FlowPolicy, load_flow_policy

__all__ = [
    "BehaviourPolicy",
    "ChunkPolicy",
    "Expert",
    "FlowPolicy",
    "chunk_values",
    "load_best_expert",
    "load_expert",
    "load_experts",
    "load_flow_policy",
    "run_folder",
    "save_expert",
]
PLACES = {
    "BehaviourPolicy": "behaviour_policy",
    "ChunkPolicy": "chunk_policy",
    "Expert": "expert",
    "FlowPolicy": "flow_policy",
    "chunk_values": "behaviour_policy",
    "load_best_expert": "expert_checkpoints",
    "load_expert": "expert_checkpoints",
    "load_experts": "expert_checkpoints",
    "load_flow_policy": "flow_policy",
    "run_folder": "expert_checkpoints",
    "save_expert": "expert_checkpoints",
}
__getattr__, __dir__ = lazy_exports(__name__, PLACES, "agents")
