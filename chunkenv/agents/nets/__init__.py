"""Networks as plain arrays, and the flows over chunks that are made of them."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.nets.behaviour_flow import behaviour_chunks, behaviour_loss, initial_behaviour
    from chunkenv.agents.nets.chunk_flow import Flow, Sizes, euler, flow_loss
    from chunkenv.agents.nets.mixer import Architecture, ChunkSizes
    from chunkenv.agents.nets.mlp import Layers
    from chunkenv.agents.nets.one_step_flow import initial_one_step, one_step_chunks, one_step_imitation
    from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow

__all__ = [
    "Architecture",
    "ChunkSizes",
    "Flow",
    "Layers",
    "PreconditionedFlow",
    "Sizes",
    "behaviour_chunks",
    "behaviour_loss",
    "euler",
    "flow_loss",
    "initial_behaviour",
    "initial_one_step",
    "one_step_chunks",
    "one_step_imitation",
]
PLACES = {
    "Architecture": "mixer",
    "ChunkSizes": "mixer",
    "Flow": "chunk_flow",
    "Layers": "mlp",
    "PreconditionedFlow": "preconditioned_flow",
    "Sizes": "chunk_flow",
    "behaviour_chunks": "behaviour_flow",
    "behaviour_loss": "behaviour_flow",
    "euler": "chunk_flow",
    "flow_loss": "chunk_flow",
    "initial_behaviour": "behaviour_flow",
    "initial_one_step": "one_step_flow",
    "one_step_chunks": "one_step_flow",
    "one_step_imitation": "one_step_flow",
}
__getattr__, __dir__ = lazy_exports(__name__, PLACES, "agents")
