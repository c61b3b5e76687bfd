"""The Gymnasium environment of one Kinetix level in Box2D."""

from __future__ import annotations

from typing import Any

import numpy as np

from chunkenv.errors import ChunkenvError
from chunkenv.kinetix.env import KinetixEnv
from chunkenv.utils.checks import one_of
from chunkenv.utils.extras import missing_extra

try:
    from chunkenv.kinetix.backends.box2d_world import Box2DWorld
except ModuleNotFoundError as error:
    raise missing_extra("The Box2D tasks need Box2D, which is", "box2d") from error


class Box2DKinetixEnv(KinetixEnv):
    """One of the twelve Kinetix levels in Box2D: a different simulator, for robustness from simulator to simulator.

    Spaces, observations, rewards, ends, info and pictures are those of `KinetixEnv`, and so are the level and the laws
    of its motors and thrusters; contacts and joints are Box2D's. Trajectories differ from the first contacts on, so
    scores are never compared with those of `KinetixEnv` in one table. The same actions give the same episode, run to
    run. Box2D's worlds keep impulses that cannot be read, so states cannot be taken or set, nor environments copied.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        observation: "symbolic" or "compact".
        reward: "sparse", "distance" or "penalty".
        render_mode: as `KinetixEnv` has it.
        render_size: as `KinetixEnv` has it.

    Raises:
        ArgumentError: an unknown level or option.
        MissingExtraError: Box2D is not installed (when this module is imported).

    >>> env = Box2DKinetixEnv("catapult", observation="compact")
    >>> observation, info = env.reset(seed=0)
    >>> observation.shape, info
    ((35,), {'success': False})
    """

    def __init__(
        self,
        level: str,
        observation: str = "symbolic",
        reward: str = "sparse",
        render_mode: str | None = None,
        render_size: int = 500,
    ) -> None:
        one_of("observation", observation, ("symbolic", "compact"))
        super().__init__(level, observation, reward, render_mode, render_size)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode in a new world, always in the level's first state."""
        self._physics = Box2DWorld(self.simulator)
        return super().reset(seed=seed, options=options)

    def get_state(self) -> np.ndarray:
        """Refused.

        Raises:
            ChunkenvError: always.
        """
        raise _refuse_state("read")

    def set_state(self, state: np.ndarray) -> None:
        """Refused.

        Raises:
            ChunkenvError: always.
        """
        raise _refuse_state("set")

    def __getstate__(self) -> dict[str, Any]:
        raise _refuse_state("copied")


def _refuse_state(action: str) -> ChunkenvError:
    return ChunkenvError(
        f"The state of a Box2D world cannot be {action}, because Box2D does not show all its impulses: play the same "
        "actions from a reset once more, which leads to the same state."
    )
