"""The Gymnasium environment of one family of manipulation tasks."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from chunkenv.errors import ActionError, ArgumentError, EnvironmentFault, ResetNeededError, brief
from chunkenv.manipulation.engine.units import LARGEST, N_ACTIONS
from chunkenv.manipulation.families import CONTROL_DT
from chunkenv.manipulation.scene.frames import Painter
from chunkenv.manipulation.scene.goals import ARM_FEATURES
from chunkenv.manipulation.scene.ogbench_imports import mujoco
from chunkenv.manipulation.scene.privileged_state import read_facts
from chunkenv.manipulation.scene.state import check_state, read_state, state_layout, write_state
from chunkenv.manipulation.scene.state_pictures import View, check_view, open_painter
from chunkenv.manipulation.scene.subtasks import draw_scene
from chunkenv.manipulation.scene.worlds import open_world
from chunkenv.registration import FAMILIES, TASKS
from chunkenv.utils.checks import one_of
from chunkenv.utils.rendering import Window, check_render_size
from chunkenv.utils.spaces import read_array

OBSERVATIONS = ("features", "state", "pixels", "pixels+robot")
SEEN = ("pixels", "pixels+robot")
"""Observations with a frame."""
ROBOT = ARM_FEATURES
"""How many of the features are about the arm and the gripper: the first ones."""
REWARDS = ("count", "sparse")
TIMINGS = ("next", "current")
RENDER_MODES = ("human", "rgb_array")
LARGEST_STATE = 1e12
ROUNDING = 1e-6  # how far outside an action may be
UNSOUND = [mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC]


class ManipulationEnv(gymnasium.Env[Any, np.ndarray]):
    """A robot arm with a gripper, and what it is to put in order: cubes, buttons, a drawer, a window.

    The long-horizon manipulation tasks of ogbench 1.2 (Park et al., arXiv 2410.20092): a UR5e arm with a Robotiq
    gripper, in MuJoCo. A step is one control step of 50 ms. `gymnasium.make("chunkenv/manip-<family>-task<k>-v0")`
    adds the time limit of the family.

    Action: float32[5] in [-1, 1]: how far the gripper is to move from where it is, in x, y and z (0.05 m), yaw
    (0.3 rad) and closing (1: from open to closed).

    Observation "features", float32[n], ogbench's: joint positions and velocities of the arm, position, cosine and
    sine of the yaw of the gripper, its opening and contact; then for each cube its position, quaternion, cosine and
    sine of its yaw; for each button its state (one-hot), position and velocity; position and velocity of drawer and
    window.

    Reward "count": the number of things in place minus the number of things, -n to 0. "sparse": 0 when all are in
    place, else -1. In place is a cube within 0.04 m of its target, a button in its state, drawer and window within
    0.04 m. The episode ends when all are.

    info: `success`, whether all are in place.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        task: 1 to 5.
        reward: "count" or "sparse".
        timing: whether reward, success and end tell of the state that a step led to, "next", or, as ogbench 1.2 has
            it for single tasks, of the state it began in, "current".
        observation: "features"; "state", what `get_state` returns, float64: for planners; "pixels", a frame,
            uint8[image_size, image_size, 3], without targets, which depends on nothing but the state; or
            "pixels+robot", a dict of the frame, "pixels", and of "robot", the 19 features of arm and gripper.
        camera: whose frames are observed: "front_pixels" and "front", ogbench's; "above", "side" or "wrist".
        image_size: width and height of an observed frame in pixels, 64 to 224.
        geometry: of an observed frame: "coarse", vertices of meshes merged within 8 mm; "fine", within 2 mm; "full",
            every triangle, which takes eight times as long as "coarse".
        render_mode: None; "rgb_array", with which `render` returns a frame, uint8[render_size, render_size, 3]; or
            "human", a window that shows every step.
        render_size: width and height of a frame in pixels, 16 to 2048.

    Attributes:
        world: ogbench's environment, mended; its `model` and `data` are MuJoCo's.
        layout: where what stands in a state.

    Raises:
        ArgumentError: an unknown family or option.
        MissingExtraError: ogbench is not installed.

    >>> env = ManipulationEnv("cube-single", task=2)
    >>> observation, info = env.reset(seed=0)
    >>> observation.shape, info
    ((28,), {'success': False})
    >>> observation, reward, terminated, truncated, info = env.step(np.zeros(5, np.float32))
    >>> reward, terminated, info
    (-1.0, False, {'success': False})
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 20}  # noqa: RUF012 (Gymnasium's own declaration)

    def __init__(
        self,
        family: str,
        task: int,
        reward: str = "count",
        timing: str = "next",
        observation: str = "features",
        render_mode: str | None = None,
        render_size: int = 480,
        camera: str = View().camera,
        image_size: int = View().size,
        geometry: str = View().geometry,
    ) -> None:
        one_of("family", family, FAMILIES)
        self._tasks = (_check_task(task),)
        self._reward = one_of("reward", reward, REWARDS)
        self._timing = one_of("timing", timing, TIMINGS)
        self._kind = one_of("observation", observation, OBSERVATIONS)
        self.render_mode = None if render_mode is None else one_of("render_mode", render_mode, RENDER_MODES)
        self._render_size = check_render_size(render_size)
        self._view = _check_view(self._kind, camera, image_size, geometry)
        self._painter: Painter | None = None
        self._window: Window | None = None
        self._ready, self._over = False, False
        self.world = open_world(family, visual=render_mode is not None)
        self.layout = state_layout(self.world)
        self.action_space = spaces.Box(-1, 1, (N_ACTIONS,), np.float32)
        self.observation_space = self._observation_space()

    @property
    def control_dt(self) -> float:
        """Seconds of a step."""
        return CONTROL_DT

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode, with the arm and the objects about where the task has them.

        Args:
            seed: of everything random.
            options: where tasks change (`GoalManipulationEnv`), `{"task": 3}`; or `{"subtasks": 2}` for a start and a
                goal with so many sub-tasks between them: buttons to press at least, or cubes to move.

        Raises:
            ArgumentError: there is no such task, or it is not this environment's.
        """
        chosen, subtasks = self._read_task(options), (options or {}).get("subtasks")
        super().reset(seed=seed)
        many = len(self._tasks) > 1
        scene = None if subtasks is None else draw_scene(self.world.family, subtasks, self.np_random)
        drawn = int(self.np_random.choice(self._tasks)) if many and chosen is None else self._tasks[0]
        self.world.begin(self.np_random, chosen or drawn, many, scene)
        return self._begun()

    def _begun(self) -> tuple[Any, dict[str, Any]]:
        """What `reset` returns, once the episode has begun in the world."""
        self._ready, self._over = True, False
        if self.render_mode == "human":
            self._show()
        return self._observe(), {"success": False}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one control step.

        Raises:
            ActionError: the action has another shape, is no number, not finite or not in [-1, 1]; nothing changed.
            ResetNeededError: there was no reset yet, or the episode is over.
            EnvironmentFault: the physics became unsound.
        """
        if not self._ready or self._over:
            reason = "The episode is over" if self._over else "This environment was not reset yet"
            raise ResetNeededError(f"{reason}: call reset() before the next step().")
        action = _read_action(action)
        before = self.world.successes() if self._timing == "current" else None
        self.world.play(action)
        self._check_physics()
        successes = self.world.successes() if before is None else before
        self._over = bool(successes.all())
        if self.render_mode == "human":
            self._show()
        return self._observe(), float(self._compute_reward(successes)), self._over, False, {"success": self._over}

    def facts(self) -> dict[str, Any]:
        """What is where, by name: floats and arrays, copies; m, rad, s, in the frame of the robot's base.

        Always: joint_positions [6] of the arm, effector_position [3] (the point between the fingers), effector_yaw,
        gripper_opening (0 open, 1 closed), gripper_contact (0 to 1), time, successes bool[goals] (cubes, buttons,
        drawer, window). With n cubes: cube_positions [n, 3],
        cube_quats [n, 4] (w first), cube_yaws [n], cube_targets [n, 3]. With n buttons: button_states and
        button_targets int[n], button_positions [n] (pressed: below -0.02), button_tops [n, 3]. In "scene":
        drawer_position, drawer_target, drawer_handle [3], drawer_handle_yaw, and the same of the window.

        Raises:
            ResetNeededError: there was no reset yet.
        """
        self._need_reset("facts")
        return read_facts(self.world)

    def render(self) -> np.ndarray | None:
        """The present state as a frame, with "rgb_array"; None with "human", which shows every step by itself.

        Raises:
            ResetNeededError: there was no reset yet.
            MissingExtraError: there is no way to draw on this machine.
        """
        if self.render_mode is None:
            gymnasium.logger.warn('render() shows nothing without a render_mode: make it with "rgb_array" or "human".')
            return None
        self._need_reset("render")
        return self._show() if self.render_mode == "human" else self._frame()

    def close(self) -> None:
        """Close the window and put the drawing tools away."""
        if self._window:
            self._window.close()
            self._window = None
        if self._painter:
            self._painter.close()
            self._painter = None

    def get_state(self) -> np.ndarray:
        """The complete state, a copy, float64[n]: set back, everything goes on to the bit.

        It holds what the task wants and the goal too, not what wrappers hold (a TimeLimit counts for itself).

        Raises:
            ResetNeededError: there was no reset yet.
        """
        self._need_reset("get_state")
        return read_state(self.world, self.layout)

    def set_state(self, state: np.ndarray) -> None:
        """Go on from a state that `get_state` returned, of any environment of the same family.

        Raises:
            ArgumentError: it is not a state of this family; the environment is unchanged.
        """
        write_state(self.world, self.layout, check_state(self.layout, state))
        self._ready, self._over = True, False

    def __getstate__(self) -> dict[str, Any]:
        made = ("world", "_painter", "_window")  # a copy opens its own
        rest = {name: value for name, value in self.__dict__.items() if name not in made}
        return {**rest, "_family": self.world.family.name, "_state": self.get_state() if self._ready else None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        family, world_state = state.pop("_family"), state.pop("_state")
        self.__dict__.update({"_view": View(), **state})  # pickles of version 0.1 have none
        self._painter = self._window = None
        self.world = open_world(family, visual=self.render_mode is not None)
        if world_state is not None:
            write_state(self.world, self.layout, world_state)

    def _read_task(self, options: dict[str, Any] | None) -> int | None:
        """The task that the options ask for, or None."""
        asked, subtasks = ((options or {}).get(name) for name in ("task", "subtasks"))
        if asked is not None and subtasks is not None:
            raise ArgumentError(f"options={options!r} ask for a task and for subtasks; give one of them.")
        of_this = subtasks is None or len(self._tasks) > 1
        if of_this and (asked is None or _check_task(asked) in self._tasks):
            return asked
        raise ArgumentError(
            f"options={options!r} ask for another task, but this environment plays task {self._tasks[0]} only; make "
            f"'chunkenv/manip-{self.world.family.name}-v0' for tasks that change."
        )

    def _compute_reward(self, successes: np.ndarray) -> Any:
        """The reward for what is in place, bool[..., goals]."""
        if self._reward == "sparse":
            return successes.all(-1) - 1.0
        return successes.sum(-1) - float(successes.shape[-1])

    def _check_physics(self) -> None:
        if any(self.world.data.warning[kind].number for kind in UNSOUND):
            self._ready = False
            raise EnvironmentFault(
                "MuJoCo's physics became unsound (positions or velocities beyond all bounds) and the episode is lost: "
                "call reset()."
            )

    def _observation_space(self) -> spaces.Space[Any]:
        if self._kind == "state":
            return spaces.Box(-LARGEST_STATE, LARGEST_STATE, (self.layout.size,), np.float64)
        parts = self._seen_spaces()
        return spaces.Dict(parts) if len(parts) > 1 else next(iter(parts.values()))

    def _observe(self) -> Any:
        if self._kind == "state":
            return self.get_state()
        parts = self._see(self.world.compute_observation())
        return parts if len(parts) > 1 else next(iter(parts.values()))

    def _seen_spaces(self) -> dict[str, spaces.Space[Any]]:
        """The spaces of what is observed of the scene, by name."""
        if self._kind not in SEEN:
            return {"observation": feature_space(self.world.family.features)}
        frame: dict[str, spaces.Space[Any]] = {"pixels": spaces.Box(0, 255, self._view.shape, np.uint8)}
        return frame if self._kind == "pixels" else {**frame, "robot": feature_space(ROBOT)}

    def _see(self, features: np.ndarray) -> dict[str, Any]:
        """What is observed of the scene, by name."""
        if self._kind not in SEEN:
            return {"observation": clip_features(features)}
        frame = {"pixels": open_painter(self.world.family.name, self._view).frame(self.get_state())}
        return frame if self._kind == "pixels" else {**frame, "robot": clip_features(features[:ROBOT])}

    def _need_reset(self, method: str) -> None:
        if not self._ready:
            raise ResetNeededError(f"There is no state yet: call reset() before {method}().")

    def _frame(self) -> np.ndarray:
        if self._painter is None:
            self._painter = Painter(self.world.model, self._render_size)
        return self._painter.frame(self.world.data)

    def _show(self) -> None:
        if self._window is None:
            self._window = Window(self.metadata["render_fps"])
        self._window.show(self._frame())


def _check_view(observation: str, *view: object) -> View:
    """How states are seen; an unusual view is refused where nothing is seen."""
    checked = check_view(*view)
    if observation not in SEEN and checked != View():
        raise ArgumentError(
            f"observation={observation!r} has no frame, so camera, image_size and geometry mean nothing; give "
            "observation='pixels' or 'pixels+robot', or leave them out."
        )
    return checked


def feature_space(size: int) -> spaces.Box:
    """The space of features: float32, finite."""
    return spaces.Box(-LARGEST, LARGEST, (size,), np.float32)


def clip_features(features: np.ndarray) -> np.ndarray:
    """Features as float32 within their space."""
    return features.clip(-LARGEST, LARGEST).astype(np.float32)


def _read_action(action: Any) -> np.ndarray:
    try:
        array = read_array(action, "action", "numbers")
        sound = array.shape == (N_ACTIONS,) and array.dtype.kind in "fiu" and np.all(np.abs(array) <= 1 + ROUNDING)
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise ActionError(
            f"An action is {N_ACTIONS} finite numbers in [-1, 1], not {brief(action)}; the state is unchanged, so "
            "step again (gymnasium.wrappers.ClipAction clips what is merely too large)."
        )
    return np.clip(np.asarray(action, np.float32), -1, 1)


def _check_task(task: Any) -> int:
    if isinstance(task, bool) or task not in TASKS:
        raise ArgumentError(f"task={task!r} is unknown; choose one of 1, 2, 3, 4, 5.")
    return int(task)
