"""What the environments of an engine show: features, whole states, or features with goals."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from chunkenv.manipulation.engine.engine import Engine, PlayedTicks
from chunkenv.manipulation.engine.units import CENTER, CUBE_SCALE, LARGEST, SLIDE_SCALES
from chunkenv.manipulation.scene.goals import objects_of
from chunkenv.manipulation.scene.ogbench_imports import mujoco
from chunkenv.manipulation.scene.state import INTEGRATION

MOCAP_POS = mujoco.mjtState.mjSTATE_MOCAP_POS


class Observer:
    """Makes observations of features and states, as `ManipulationEnv` makes one.

    Args:
        engine: whose they are.
        space: of one observation.
        observation: "features" or "state".
        goal: "objects" or "features".
    """

    def __init__(self, engine: Engine, space: spaces.Space[Any], observation: str, goal: str) -> None:
        self._layout, self._family = engine.layout, engine.world.family
        self._whole, self._with_goal = observation == "state", isinstance(space, spaces.Dict)
        self._goal = goal
        start = mujoco.mj_stateSize(engine.world.model, int(INTEGRATION) & (int(MOCAP_POS) - 1))
        bodies = np.array([engine.world._cube_target_mocap_ids[k] for k in range(self._family.cubes)], int)
        self._targets = (start + 3 * bodies[:, None] + np.arange(3)).ravel()

    def __call__(self, features: np.ndarray, states: np.ndarray) -> Any:
        """A new batch of observations: of features, float32[N, n], and states, float64[N, n]."""
        if self._whole:
            return states.copy()
        if not self._with_goal:
            return features.copy()
        if self._goal == "features":
            achieved, desired = features.copy(), states[:, self._layout.goal]
        else:
            achieved, desired = objects_of(self._family, features), self._desired(states)
        desired = desired.clip(-LARGEST, LARGEST).astype(np.float32)
        return {"achieved_goal": achieved, "desired_goal": desired, "observation": features.copy()}

    def needed(self) -> dict[str, bool]:
        """What the engine is to keep of every tick."""
        return {"seen": not self._whole, "kept": self._whole or self._with_goal}

    def history(self, played: PlayedTicks) -> list[Any]:
        """The batch of observations after each tick."""
        either = played.seen if played.seen is not None else played.kept
        assert either is not None
        seen = either if played.seen is None else played.seen
        kept = either if played.kept is None else played.kept
        return [self(seen[:, tick], kept[:, tick]) for tick in range(either.shape[1])]

    def _desired(self, states: np.ndarray) -> np.ndarray:
        """What the objects should be, float64[N, objects]; see `goals.desired_objects`."""
        center, layout = np.tile(CENTER, self._family.cubes), self._layout
        cubes = (states[:, layout.physics][:, self._targets] - center) * CUBE_SCALE
        slides = states[:, layout.slide_targets] * SLIDE_SCALES[: self._family.slides]
        return np.concatenate([cubes, states[:, layout.button_targets], slides], axis=1)


Observing = Observer  # what older pickles call it
