"""The goal-conditioned environment of one family of manipulation tasks."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from chunkenv.manipulation.env import ManipulationEnv, clip_features, feature_space
from chunkenv.manipulation.scene.goals import agreement, desired_objects, objects_of
from chunkenv.manipulation.scene.state_pictures import View
from chunkenv.registration import TASKS
from chunkenv.utils.checks import one_of

GOALS = ("objects", "features")


class GoalManipulationEnv(ManipulationEnv):
    """A family of tasks whose goal is part of the observation: with each reset, that of one of the five tasks.

    `gymnasium.make("chunkenv/manip-<family>-v0")` adds the time limit. All is as in `ManipulationEnv` but the
    observation, a dict of "observation", the features; "achieved_goal" and "desired_goal", as `goal` says: the form
    that hindsight experience replay wants. As in ogbench, cubes that differ only in colour change roles at random.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        goal: what a goal is: "objects", what is wanted of everything in the scene: 3 numbers a cube, its position; 1
            a button, its state; 1 each for drawer and window (scaled as in the features: ogbench's oracle
            representation); or "features", ogbench's usual goals, the features of a scene in order.
        reward: as `ManipulationEnv` has it.
        timing: as `ManipulationEnv` has it.
        observation: as `ManipulationEnv` has it; with "pixels" the dict has "pixels" in place of "observation", with
            "pixels+robot" "robot", too. The goals stay numbers, and "achieved_goal" says where the objects are.
        render_mode: this and the others: as `ManipulationEnv` has it.
        render_size: width and height of a rendered frame.
        camera: whose frames are observed.
        image_size: width and height of an observed frame.
        geometry: of an observed frame.

    Raises:
        ArgumentError: an unknown family or option.
        MissingExtraError: ogbench is not installed.

    >>> env = GoalManipulationEnv("cube-double")
    >>> observation, info = env.reset(seed=0, options={"task": 5})
    >>> {name: array.shape for name, array in observation.items()}
    {'observation': (37,), 'achieved_goal': (6,), 'desired_goal': (6,)}
    """

    def __init__(
        self,
        family: str,
        goal: str = "objects",
        *,
        reward: str = "count",
        timing: str = "next",
        observation: str = "features",
        render_mode: str | None = None,
        render_size: int = 480,
        camera: str = View().camera,
        image_size: int = View().size,
        geometry: str = View().geometry,
    ) -> None:
        self._goal = one_of("goal", goal, GOALS)
        super().__init__(family, 1, reward, timing, observation, render_mode, render_size, camera, image_size, geometry)
        self._tasks = TASKS

    def compute_reward(self, achieved_goal: np.ndarray, desired_goal: np.ndarray, info: Any) -> Any:
        """The reward for a goal in place of the desired one (hindsight experience replay).

        Args:
            achieved_goal: [..., goal], one or many.
            desired_goal: the same shape.
            info: not used.

        Returns:
            A float, or float64[...].
        """
        goals = [np.asarray(goal) for goal in (achieved_goal, desired_goal)]
        if self._goal == "features":
            goals = [objects_of(self.world.family, goal) for goal in goals]
        rewards = self._compute_reward(agreement(self.world.family, *goals))
        return float(rewards) if np.ndim(rewards) == 0 else rewards

    def achieved_goals(self, observations: np.ndarray) -> np.ndarray:
        """What features have achieved, as a goal of this environment: [..., features] -> float32[..., goal]."""
        features = np.asarray(observations)
        return clip_features(objects_of(self.world.family, features) if self._goal == "objects" else features)

    def _observation_space(self) -> spaces.Space[Any]:
        if self._kind == "state":
            return super()._observation_space()
        family = self.world.family
        goal = feature_space(family.features if self._goal == "features" else family.objects)
        return spaces.Dict({**self._seen_spaces(), "achieved_goal": goal, "desired_goal": goal})

    def _observe(self) -> Any:
        if self._kind == "state":
            return super()._observe()
        features = self.world.compute_observation()
        if self._goal == "features":
            achieved, desired = features, self.world._cur_goal_ob
        else:
            achieved, desired = objects_of(self.world.family, features), desired_objects(self.world)
        goals = {"achieved_goal": clip_features(achieved), "desired_goal": clip_features(desired)}
        return {**self._see(features), **goals}
