"""What the environments of an engine show: features, whole states, or features with goals."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces

from chunkenv.manipulation.engine.engine import Engine, PlayedTicks
from chunkenv.manipulation.engine.units import CENTER, CUBE_SCALE, LARGEST, SLIDE_SCALES
from chunkenv.manipulation.scene.goals import ARM_FEATURES, objects_of
from chunkenv.manipulation.scene.ogbench_imports import mujoco
from chunkenv.manipulation.scene.state import INTEGRATION
from chunkenv.manipulation.scene.state_pictures import View, open_painter

MOCAP_POS = mujoco.mjtState.mjSTATE_MOCAP_POS


class Observer:
    """Makes observations of features and states, as `ManipulationEnv` makes one.

    Args:
        engine: whose they are.
        space: of one observation.
        observation: "features", "state", "pixels" or "pixels+robot".
        goal: "objects", "features" or "instruction".
        frames: what paints them, for observations with a frame.

    Attributes:
        instructions: object[N], the sentences that are observed, for goals in words.
    """

    def __init__(
        self,
        engine: Engine,
        space: spaces.Space[Any],
        observation: str,
        goal: str,
        frames: Frames | None = None,
    ) -> None:
        self._layout, self._family = engine.layout, engine.world.family
        self._whole = observation == "state"
        self._names = tuple(space.spaces) if isinstance(space, spaces.Dict) else ()
        self._with_goal = "desired_goal" in self._names
        self._goal = goal
        self._frames = frames
        self.instructions = np.full(len(engine.states), "", object)
        start = mujoco.mj_stateSize(engine.world.model, int(INTEGRATION) & (int(MOCAP_POS) - 1))
        bodies = np.array([engine.world._cube_target_mocap_ids[k] for k in range(self._family.cubes)], int)
        self._targets = (start + 3 * bodies[:, None] + np.arange(3)).ravel()

    def __call__(self, features: np.ndarray, states: np.ndarray) -> Any:
        """A new batch of observations: of features, float32[N, n], and states, float64[N, n]."""
        if self._whole:
            return states.copy()
        if not self._names:
            return features.copy() if self._frames is None else self._frames(states)
        parts: dict[str, Any] = {name: features.copy() for name in ("observation",) if name in self._names}
        if self._frames is not None:
            parts["pixels"] = self._frames(states)
        if "robot" in self._names:
            parts["robot"] = features[:, :ARM_FEATURES].copy()
        if "instruction" in self._names:
            parts["instruction"] = tuple(self.instructions)
        if self._with_goal:
            parts |= self._goals(features, states)
        return {name: parts[name] for name in self._names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        names = ("achieved_goal", "desired_goal", "observation") if state["_with_goal"] else ()
        older = {"_names": names, "_frames": None, "instructions": np.full(0, "", object)}  # pickles of version 0.1
        self.__dict__.update({**older, **state})

    def _goals(self, features: np.ndarray, states: np.ndarray) -> dict[str, np.ndarray]:
        if self._goal == "features":
            achieved, desired = features.copy(), states[:, self._layout.goal]
        else:
            achieved, desired = objects_of(self._family, features), self._desired(states)
        return {"achieved_goal": achieved, "desired_goal": desired.clip(-LARGEST, LARGEST).astype(np.float32)}

    def needed(self) -> dict[str, bool]:
        """What the engine is to keep of every tick."""
        return {"seen": not self._whole, "kept": self._whole or self._with_goal or self._frames is not None}

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


class Frames:
    """Frames of many environments; those whose states are as they were are not painted again.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        view: how states are seen.
        num_envs: N.
    """

    def __init__(self, family: str, view: View, num_envs: int) -> None:
        self._open_painter = partial(open_painter, family, view)
        self._states: np.ndarray | None = None
        self._frames = np.zeros((num_envs, *view.shape), np.uint8)

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """A new batch of frames of states, float64[N, n]: uint8[N, size, size, 3]."""
        painter = self._open_painter()
        changed = np.ones(len(states), bool) if self._states is None else (self._states != states).any(axis=1)
        for index in np.flatnonzero(changed).tolist():
            self._frames[index] = painter.frame(states[index])
        self._states = states.copy()
        return self._frames.copy()


Observing = Observer  # what older pickles call it
