"""MuJoCo and ogbench, or one sentence: what they export has no types that a checker could read."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from chunkenv.errors import MissingExtraError


def _module(name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is no screen, where nothing is to be shown
            return importlib.import_module(name)
    except ImportError as error:
        package = (error.name or name).partition(".")[0]
        raise MissingExtraError(f'{package} is not installed: run `pip install "chunkenv[manipulation]"`.') from error


mujoco = _module("mujoco")
mjcf_utils = _module("ogbench.manipspace.mjcf_utils")
DiffIKController = _module("ogbench.manipspace.controllers").DiffIKController
ManipSpaceEnv = _module("ogbench.manipspace.envs.manipspace_env").ManipSpaceEnv
CubeEnv = _module("ogbench.manipspace.envs.cube_env").CubeEnv
PuzzleEnv = _module("ogbench.manipspace.envs.puzzle_env").PuzzleEnv
SceneEnv = _module("ogbench.manipspace.envs.scene_env").SceneEnv
