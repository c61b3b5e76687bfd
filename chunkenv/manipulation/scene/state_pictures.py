"""Pictures of states, for policies that see: a frame depends on nothing but the state and the view.

They show no goals and no success, unlike the frames of `render`, and no shadows, reflections, sky or haze, which take
three quarters of the time.
"""

from __future__ import annotations

import os
import threading
from typing import Any, NamedTuple

import numpy as np

from chunkenv.manipulation.scene.frames import Painter
from chunkenv.manipulation.scene.mesh_merging import merge_meshes
from chunkenv.manipulation.scene.ogbench_imports import mujoco
from chunkenv.manipulation.scene.state import INTEGRATION, StateLayout, state_layout
from chunkenv.manipulation.scene.worlds import World, open_world
from chunkenv.utils.checks import one_of, whole_number

CAMERAS = ("front", "front_pixels", "above", "side", "wrist")
"""ogbench's two, which look at the robot from across the table; from above; from the robot's right; from the hand."""

GEOMETRIES = ("full", "fine", "coarse")
SMALLEST_IMAGE, LARGEST_IMAGE = 64, 224
MERGED = {"fine": 0.002, "coarse": 0.008}
"""How near to one another vertices become one, in m; a pixel of a frame of 64 shows 15 mm, one of 224 shows 4 mm."""
FLOOR_HALF = 3.0
"""Half the edge of the floor in m, where it is a box: MuJoCo draws a plane in many pieces, which take half the time."""
UNDRAWN = ("SHADOW", "REFLECTION", "SKYBOX", "HAZE")
LOOKS_AT = (0.425, 0.0, 0.05)
FREE_CAMERAS = {"above": (1.05, 0.0, -89.9), "side": (1.1, 90.0, -25.0)}
"""Distance from `LOOKS_AT` in m, azimuth and elevation in degrees."""
WRIST = (-0.09, 0.0, -0.12)
"""Where the camera of the wrist is, seen from the point between the fingers, in m; it looks the way the hand points."""


class View(NamedTuple):
    """How states are seen.

    Attributes:
        camera: one of `CAMERAS`.
        size: width and height of a frame in pixels, 64 to 224.
        geometry: "full", every triangle; "fine", vertices merged within 2 mm; "coarse", within 8 mm, and a floor of
            three metres.
    """

    camera: str = "front_pixels"
    size: int = 64
    geometry: str = "coarse"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a frame."""
        return (self.size, self.size, 3)


def check_view(camera: object, image_size: object, geometry: object) -> View:
    """The view that an environment's arguments ask for.

    Raises:
        ArgumentError: an unknown camera or geometry, or a size that is none from 64 to 224.

    >>> check_view("wrist", 96, "fine")
    View(camera='wrist', size=96, geometry='fine')
    """
    return View(
        one_of("camera", camera, CAMERAS),
        whole_number("image_size", image_size, SMALLEST_IMAGE, LARGEST_IMAGE),
        one_of("geometry", geometry, GEOMETRIES),
    )


class StatePainter:
    """Paints states of one family.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        view: how they are seen.

    Raises:
        MissingExtraError: there is no way to draw on this machine.
    """

    def __init__(self, family: str, view: View) -> None:
        self._world = open_world(family, visual=True)
        self.layout: StateLayout = state_layout(self._world)
        _colour(self._world)
        model = self._world.model
        if view.geometry != "full":
            merge_meshes(model, MERGED[view.geometry])
        if view.geometry == "coarse":
            _make_floor_a_box(model)
        self._on_wrist = view.camera == "wrist"
        self._painter = Painter(model, view.size, *_aim(view.camera), undrawn=UNDRAWN, sites=False)
        self._buttons = np.full(self._world.family.buttons, -1)

    def frame(self, state: np.ndarray) -> np.ndarray:
        """What is seen of a state, float64[layout.size]: uint8[size, size, 3]."""
        self._show(state)
        return self._painter.frame(self._world.data, self._hand() if self._on_wrist else None)

    def _show(self, state: np.ndarray) -> None:
        world, model, data = self._world, self._world.model, self._world.data
        mujoco.mj_setState(model, data, np.ascontiguousarray(state[self.layout.physics]), INTEGRATION)
        buttons = state[self.layout.buttons].astype(int)
        if buttons.size and not np.array_equal(buttons, self._buttons):
            world._cur_button_states = self._buttons = buttons
            world._apply_button_states()
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_camlight(model, data)

    def _hand(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Position, direction and upward direction of the camera on the wrist."""
        data, between_fingers = self._world.data, self._world._pinch_site_id
        axes = data.site_xmat[between_fingers].reshape(3, 3)
        return data.site_xpos[between_fingers] + axes @ WRIST, axes[:, 2], axes[:, 0]


def open_painter(family: str, view: View) -> StatePainter:
    """The painter of a family and a view, one for each thread: drawing belongs to the thread that it began in."""
    known = _painters.__dict__
    key = os.getpid(), family, view  # a process that was forked cannot draw with its parent's
    if key not in known:
        known[key] = StatePainter(family, view)
    return known[key]


_painters: Any = threading.local()


def _colour(world: World) -> None:
    """Cubes in their colours, without those of success, and no targets."""
    for cube in range(world.family.cubes):
        world.model.geom_rgba[world._cube_geom_ids_list[cube]] = world._cube_colors[cube]
        world.model.geom_rgba[world._cube_target_geom_ids_list[cube], 3] = 0.0


def _make_floor_a_box(model: Any) -> None:
    floor = model.geom("floor").id
    model.geom_type[floor] = mujoco.mjtGeom.mjGEOM_BOX
    model.geom_size[floor] = (FLOOR_HALF, FLOOR_HALF, 0.01)
    model.geom_pos[floor][2] -= 0.01


def _aim(name: str) -> tuple[Any, ...]:
    """What `Painter` needs to know of a camera."""
    if name not in FREE_CAMERAS:
        return ("front" if name == "wrist" else name,)
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FREE
    camera.lookat[:] = LOOKS_AT
    camera.distance, camera.azimuth, camera.elevation = FREE_CAMERAS[name]
    return (camera,)
