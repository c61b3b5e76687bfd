"""Frames of a world, drawn by MuJoCo, on a screen or without one: EGL, else OSMesa, else the system's own way."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from chunkenv.errors import MissingExtraError
from chunkenv.manipulation.scene.ogbench_imports import DRAWS_BY, mujoco

CAMERA = "front"
"""ogbench's name of the camera that looks at the robot from across the table."""

SHADOW_SIZE = 1024
"""Pixels of the shadows' map, a quarter of ogbench's: without a graphics card a frame takes half the time."""

WAYS = ("egl", "osmesa") if sys.platform == "linux" else ()
"""How to draw without a screen, the fastest first."""

WANTED = os.environ.get(DRAWS_BY)
"""The way that the user chose, MuJoCo's own variable: then no other is tried."""


class Painter:
    """Draws the frames of one model.

    Args:
        model: with everything that is seen.
        size: width and height of a frame in pixels.
        camera: the name of one in the model, or MuJoCo's `MjvCamera`.
        undrawn: what is left out, as in the names of MuJoCo's mjtRndFlag: "SHADOW".
        sites: whether MuJoCo's sites are drawn, which mark targets.

    Raises:
        MissingExtraError: there is no way to draw on this machine.
    """

    def __init__(
        self, model: Any, size: int, camera: Any = CAMERA, undrawn: Sequence[str] = (), sites: bool = True
    ) -> None:
        model.vis.global_.offwidth = model.vis.global_.offheight = size
        model.vis.quality.shadowsize = SHADOW_SIZE
        model.vis.quality.offsamples = 0
        self._model = model
        self._canvas, self._context = _open_drawing(model, size)
        self._scene = mujoco.MjvScene(model, maxgeom=2 * model.ngeom + 100)
        for name in undrawn:
            self._scene.flags[getattr(mujoco.mjtRndFlag, f"mjRND_{name}")] = False
        self._options = mujoco.MjvOption()
        if not sites:
            self._options.sitegroup[:] = 0
        self._camera = _fixed_camera(model, camera) if isinstance(camera, str) else camera
        self._frame = mujoco.MjrRect(0, 0, size, size)
        self.close = weakref.finalize(self, _free, self._canvas, self._context)  # also before the interpreter ends

    def frame(self, data: Any, pose: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None) -> np.ndarray:
        """What the camera sees, uint8[size, size, 3].

        Args:
            data: MuJoCo's, of the same model.
            pose: where the camera is instead, in m, and the directions forward and up.
        """
        self._canvas.make_current()
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, data, self._options, None, self._camera, everything, self._scene)
        if pose is not None:
            for eye in self._scene.camera:
                eye.pos, eye.forward, eye.up = pose
        mujoco.mjr_render(self._frame, self._scene, self._context)
        picture = np.empty((self._frame.height, self._frame.width, 3), np.uint8)
        mujoco.mjr_readPixels(picture, None, self._frame, self._context)
        return np.flipud(picture).copy()


def _fixed_camera(model: Any, name: str) -> Any:
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
    camera.fixedcamid = model.camera(name).id
    return camera


def _open_drawing(model: Any, size: int) -> tuple[Any, Any]:
    """The first canvas that can be drawn on, and MuJoCo's drawing tools on it."""
    reasons = []
    for way in WAYS if WANTED is None else ():
        os.environ[DRAWS_BY] = way  # MuJoCo's own library looks there
        try:
            return _open_canvas(f"mujoco.{way}", model, size)
        except Exception as error:  # each way, and each driver, fails in its own manner
            reasons.append(f"{way}: {error}")
            _forget(way)
    try:
        return _open_canvas("mujoco.gl_context", model, size)
    except Exception as error:
        reasons.append(f"{WANTED or 'screen'}: {error}")
    raise MissingExtraError(
        "Pictures of this task need EGL or OSMesa, and neither works here: run `apt-get install libegl1` or "
        f"`apt-get install libosmesa6`, or set MUJOCO_GL to what does ({'; '.join(reasons)})."
    )


def _open_canvas(module: str, model: Any, size: int) -> tuple[Any, Any]:
    canvas = importlib.import_module(module).GLContext(size, size)
    canvas.make_current()
    context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_150.value)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, context)
    return canvas, context


def _forget(way: str) -> None:
    """PyOpenGL keeps to the first way that it was loaded for, even one that failed: load it anew for the next."""
    os.environ.pop(DRAWS_BY, None)
    os.environ.pop("PYOPENGL_PLATFORM", None)
    for name in list(sys.modules):
        if name == "OpenGL" or name.startswith(("OpenGL.", f"mujoco.{way}")):
            del sys.modules[name]


def _free(canvas: Any, context: Any) -> None:
    with contextlib.suppress(Exception):  # at the end of a process, what belongs to another thread cannot be freed here
        canvas.make_current()
        context.free()
        canvas.free()
