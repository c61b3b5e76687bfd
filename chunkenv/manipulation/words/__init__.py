"""Goals in words: what sentences mean, how goals are said, and episodes that are asked for by a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.manipulation.words.all_words import ANSWERS, most_clauses, simple_instructions, vocabulary
    from chunkenv.manipulation.words.grammar import MOST_LETTERS, WORDINGS, parse_instruction, say_goal
    from chunkenv.manipulation.words.instructed_oracle import InstructedOracle
    from chunkenv.manipulation.words.predicates import predicate_names, read_predicates
    from chunkenv.manipulation.words.word_goals import Wanted, WordGoal, is_held_out, open_goals
    from chunkenv.manipulation.words.worded_scenes import draw_worded_scene

__all__ = [
    "ANSWERS",
    "MOST_LETTERS",
    "WORDINGS",
    "InstructedOracle",
    "Wanted",
    "WordGoal",
    "draw_worded_scene",
    "is_held_out",
    "most_clauses",
    "open_goals",
    "parse_instruction",
    "predicate_names",
    "read_predicates",
    "say_goal",
    "simple_instructions",
    "vocabulary",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "all_words": "ANSWERS most_clauses simple_instructions vocabulary",
        "grammar": "MOST_LETTERS WORDINGS parse_instruction say_goal",
        "instructed_oracle": "InstructedOracle",
        "predicates": "predicate_names read_predicates",
        "word_goals": "Wanted WordGoal is_held_out open_goals",
        "worded_scenes": "draw_worded_scene",
    },
    "manipulation",
)
