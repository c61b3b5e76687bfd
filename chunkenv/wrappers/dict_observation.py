"""More keys in a Dict observation: what the wrappers that show something to the agent share."""

from __future__ import annotations

from gymnasium import spaces

from chunkenv.errors import ArgumentError
from chunkenv.utils.types import AnySpace, Observation, named_parts

OWN = "observation"
"""The key of an observation that is no Dict."""


class DictObservation:
    """An observation with keys added: beside its own if it is a Dict, else beside the one key `OWN`.

    Args:
        observation_space: the wrapped environment's.
        added: the spaces of the keys to add.
        option: the argument that asks for them, for the error's sentence.

    Attributes:
        space: the Dict space of both.

    Raises:
        ArgumentError: if a Dict observation already has one of the keys.

    >>> shown = DictObservation(spaces.Discrete(4), {"age": spaces.Discrete(9)}, option="observe")
    >>> shown.join(3, {"age": 2}), shown.space
    ({'observation': 3, 'age': 2}, Dict('age': Discrete(9), 'observation': Discrete(4)))
    """

    def __init__(self, observation_space: AnySpace, added: dict[str, AnySpace], option: str) -> None:
        self._nested = isinstance(observation_space, spaces.Dict)
        own = named_parts(observation_space) if self._nested else {OWN: observation_space}
        if taken := sorted(own.keys() & added.keys()):
            raise ArgumentError(
                f"{option} would overwrite the observation's own {taken}; rename them, or leave {option} out."
            )
        self.space = spaces.Dict({**own, **added})

    def join(self, observation: Observation, added: dict[str, Observation]) -> dict[str, Observation]:
        """A new dict of `observation` and the values of the keys added; the values are not copied."""
        own = observation if self._nested else {OWN: observation}
        return {**own, **added}
