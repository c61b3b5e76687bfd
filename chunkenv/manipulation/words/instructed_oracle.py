"""The oracle that is told what to do in words."""

from __future__ import annotations

import numpy as np

from chunkenv.manipulation.oracles.oracle import Oracle
from chunkenv.manipulation.oracles.subgoal import Facts
from chunkenv.manipulation.words.grammar import parse_instruction
from chunkenv.manipulation.words.word_goals import targets_of


class InstructedOracle:
    """Does what an instruction says, and ignores the targets of the environment.

    What the instruction does not name is to be as it was at the first tick.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        instruction: a sentence of the family's grammar.
        style: which of ogbench's primitives it drives, 'markov' or 'plan'.

    Raises:
        ArgumentError: the instruction is outside the grammar, or another argument is unknown.
    """

    def __init__(self, family: str, instruction: str, style: str = "markov") -> None:
        self._goal = parse_instruction(family, instruction)
        self._oracle = Oracle(family, style)
        self._targets: Facts | None = None

    def act(self, facts: Facts) -> np.ndarray:
        """The action for what is now, float32[5] in [-1, 1].

        Args:
            facts: what `ManipulationEnv.facts()` says; its targets do not matter.
        """
        if self._targets is None:
            self._targets = targets_of(self._goal, facts)
        return self._oracle.act({**facts, **self._targets})
