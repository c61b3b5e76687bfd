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
        time_limit: ticks after which an episode is truncated.
        cubes: number of cubes.
        buttons: number of buttons.
    """

    name: str
    scene: str
    variant: str
    time_limit: int
    cubes: int
    buttons: int

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
    name: Family(name, scene, variant, FAMILY_TIME_LIMITS[name], cubes, buttons)
    for name, scene, variant, cubes, buttons in (
        ("cube-single", "cube", "single", 1, 0),
        ("cube-double", "cube", "double", 2, 0),
        ("cube-triple", "cube", "triple", 3, 0),
        ("cube-quadruple", "cube", "quadruple", 4, 0),
        ("cube-octuple", "cube", "octuple", 8, 0),
        ("scene", "scene", "scene", 1, 2),
        ("puzzle-3x3", "puzzle", "3x3", 0, 9),
        ("puzzle-4x4", "puzzle", "4x4", 0, 16),
        ("puzzle-4x5", "puzzle", "4x5", 0, 20),
        ("puzzle-4x6", "puzzle", "4x6", 0, 24),
    )
}
"""Every family by its name."""
