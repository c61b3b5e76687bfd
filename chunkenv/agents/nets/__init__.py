"""Networks as plain arrays, and the flows over chunks that are made of them."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.nets.behaviour_flow import behaviour_chunks, behaviour_loss, initial_behaviour
    from chunkenv.agents.nets.chunk_flow import Flow, Sizes, flow_loss
    from chunkenv.agents.nets.guided_flow import GuidedFlow
    from chunkenv.agents.nets.mixer import Architecture, ChunkSizes
    from chunkenv.agents.nets.mlp import Layers
    from chunkenv.agents.nets.one_step_flow import initial_one_step, one_step_chunks, one_step_imitation
    from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow

__all__ = [
    "Architecture",
    "ChunkSizes",
    "Flow",
    "GuidedFlow",
    "Layers",
    "PreconditionedFlow",
    "Sizes",
    "behaviour_chunks",
    "behaviour_loss",
    "flow_loss",
    "initial_behaviour",
    "initial_one_step",
    "one_step_chunks",
    "one_step_imitation",
]
__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "behaviour_flow": "behaviour_chunks behaviour_loss initial_behaviour",
        "chunk_flow": "Flow Sizes flow_loss",
        "guided_flow": "GuidedFlow",
        "mixer": "Architecture ChunkSizes",
        "mlp": "Layers",
        "one_step_flow": "initial_one_step one_step_chunks one_step_imitation",
        "preconditioned_flow": "PreconditionedFlow",
    },
    "agents",
)
