"""MuJoCo and ogbench, or one sentence: what they export has no types that a checker could read."""

from __future__ import annotations

import importlib
import os
import warnings
from typing import Any

from chunkenv.errors import MissingExtraError
from chunkenv.utils.extras import missing_extra

DRAWS_BY = "MUJOCO_GL"
"""The environment variable that names what MuJoCo draws with."""


def _module(name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is no screen, where nothing is to be shown
            return importlib.import_module(name)
    except Exception as error:
        # With the variable MuJoCo looks for its drawing library at once, and each fails in its own manner.
        if DRAWS_BY in os.environ and not isinstance(error, ModuleNotFoundError):
            raise MissingExtraError(
                f"MuJoCo does not start with {DRAWS_BY}={os.environ[DRAWS_BY]!r} ({error}): unset it, or set it to "
                "'egl' or 'osmesa' and run `apt-get install libegl1` or `apt-get install libosmesa6`."
            ) from error
        if not isinstance(error, ImportError):
            raise
        package = (error.name or name).partition(".")[0]
        raise missing_extra(f"{package} is", "manipulation") from error


mujoco = _module("mujoco")
mjcf_utils = _module("ogbench.manipspace.mjcf_utils")
DiffIKController = _module("ogbench.manipspace.controllers").DiffIKController
ManipSpaceEnv = _module("ogbench.manipspace.envs.manipspace_env").ManipSpaceEnv
CubeEnv = _module("ogbench.manipspace.envs.cube_env").CubeEnv
PuzzleEnv = _module("ogbench.manipspace.envs.puzzle_env").PuzzleEnv
SceneEnv = _module("ogbench.manipspace.envs.scene_env").SceneEnv
