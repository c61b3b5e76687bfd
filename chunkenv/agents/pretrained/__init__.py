"""The weights that come with the package: families of flow policies for the levels, and what belongs to them."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.pretrained.flows import add_pretrained, load_pretrained
    from chunkenv.agents.pretrained.heads import add_head, load_head
    from chunkenv.agents.pretrained.learned_models import add_model, load_model
    from chunkenv.agents.pretrained.weight_families import KINDS, family_folder, manifest

__all__ = [
    "KINDS",
    "add_head",
    "add_model",
    "add_pretrained",
    "family_folder",
    "load_head",
    "load_model",
    "load_pretrained",
    "manifest",
]
__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "weight_families": "KINDS family_folder manifest",
        "flows": "add_pretrained load_pretrained",
        "heads": "add_head load_head",
        "learned_models": "add_model load_model",
    },
    "agents",
)
