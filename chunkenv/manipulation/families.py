"""The ten families of tasks: what ogbench calls them, how long an episode may be, and what is in the scene."""

from __future__ import annotations

from typing import NamedTuple

from chunkenv.registration import FAMILY_TIME_LIMITS

CONTROL_DT = 0.05
"""Seconds of a tick."""


class Family(NamedTuple):
    """One family of tasks.

    Attributes:
        name: as in the ids, "cube-double".
        scene: what kind of scene it is: "cube", "scene" or "puzzle".
        variant: what ogbench calls it within its kind, "double".
        cubes: number of cubes.
        buttons: number of buttons.
    """

    name: str
    scene: str
    variant: str
    cubes: int
    buttons: int

    @property
    def time_limit(self) -> int:
        """Ticks after which an episode is truncated."""
        return FAMILY_TIME_LIMITS[self.name]

    @property
    def goals(self) -> int:
        """How many things must hold at once for success: cubes in place, buttons right, drawer and window right."""
        return self.cubes + self.buttons + self.slides

    @property
    def slides(self) -> int:
        """How many things slide: drawer and window, or nothing."""
        return 2 if self.scene == "scene" else 0

    @property
    def features(self) -> int:
        """How many numbers an observation has: 19 of the arm, 9 a cube, 4 a button, 2 a slide."""
        return 19 + 9 * self.cubes + 4 * self.buttons + 2 * self.slides

    @property
    def objects(self) -> int:
        """How many numbers tell what the objects should be: 3 a cube, 1 a button, 1 a slide."""
        return 3 * self.cubes + self.buttons + self.slides


FAMILY = {
    family.name: family
    for family in (
        Family("cube-single", "cube", "single", 1, 0),
        Family("cube-double", "cube", "double", 2, 0),
        Family("cube-triple", "cube", "triple", 3, 0),
        Family("cube-quadruple", "cube", "quadruple", 4, 0),
        Family("cube-octuple", "cube", "octuple", 8, 0),
        Family("scene", "scene", "scene", 1, 2),
        Family("puzzle-3x3", "puzzle", "3x3", 0, 9),
        Family("puzzle-4x4", "puzzle", "4x4", 0, 16),
        Family("puzzle-4x5", "puzzle", "4x5", 0, 20),
        Family("puzzle-4x6", "puzzle", "4x6", 0, 24),
    )
}
"""Every family by its name."""
