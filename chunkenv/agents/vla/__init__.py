"""A small vision-language-action model: words, pictures and robot state in, chunks of actions out."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.vla.action_tokens import BinTokens, FrequencyTokens
    from chunkenv.agents.vla.word_tokens import WordTokens

__all__ = ["BinTokens", "FrequencyTokens", "WordTokens"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {"action_tokens": "BinTokens FrequencyTokens", "word_tokens": "WordTokens"},
    "agents",
)
