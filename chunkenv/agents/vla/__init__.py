"""A small vision-language-action model: words, frames and robot state in, chunks of actions out."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.vla.action_tokens import BinTokens, FrequencyTokens
    from chunkenv.agents.vla.insulation import VLABatch, VLAScales
    from chunkenv.agents.vla.vla_model import VLAModel, load_vla
    from chunkenv.agents.vla.vla_policies import TokenPolicy, VLAPolicy, vla_policy
    from chunkenv.agents.vla.vla_settings import ARMS, Seen, VLANetworkSize, VLASettings, VLASizes
    from chunkenv.agents.vla.word_tokens import WordTokens

__all__ = [
    "ARMS",
    "BinTokens",
    "FrequencyTokens",
    "Seen",
    "TokenPolicy",
    "VLABatch",
    "VLAModel",
    "VLANetworkSize",
    "VLAPolicy",
    "VLAScales",
    "VLASettings",
    "VLASizes",
    "WordTokens",
    "load_vla",
    "vla_policy",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "action_tokens": "BinTokens FrequencyTokens",
        "insulation": "VLABatch VLAScales",
        "vla_model": "VLAModel load_vla",
        "vla_policies": "TokenPolicy VLAPolicy vla_policy",
        "vla_settings": "ARMS Seen VLANetworkSize VLASettings VLASizes",
        "word_tokens": "WordTokens",
    },
    "agents",
)
