"""The Gymnasium environment of one family of manipulation tasks."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from chunkenv.checks import one_of
from chunkenv.errors import ActionError, ResetNeededError, brief
from chunkenv.manipulation.facts import read_facts
from chunkenv.manipulation.families import CONTROL_DT, FAMILIES, TASKS
from chunkenv.manipulation.state import checked_state, read_state, state_layout, write_state
from chunkenv.manipulation.worlds import open_world

N_ACTIONS = 5
OBSERVATIONS = ("features", "state")
REWARDS = ("count", "sparse")
TIMINGS = ("next", "current")
RENDER_MODES = ("rgb_array",)
LARGEST = 1000.0  # no feature comes near it while the physics is sound
LARGEST_STATE = 1e12
ROUNDING = 1e-6  # an action may be this much outside


class ManipulationEnv(gymnasium.Env[Any, np.ndarray]):
    """A robot arm with a gripper, and what it is to put in order: cubes, buttons, a drawer, a window.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        task: 1 to 5, or None: goal-conditioned.
        reward: "count", the number of things in place minus their number; "sparse", 0 when all are, else -1.
        timing: whether reward and end tell of the state that a step led to ("next") or began in ("current").
        observation: "features" or "state".
        render_mode: None or "rgb_array".
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 20}  # noqa: RUF012 (Gymnasium's own declaration)

    def __init__(
        self,
        family: str,
        task: int | None = None,
        reward: str = "count",
        timing: str = "next",
        observation: str = "features",
        render_mode: str | None = None,
    ) -> None:
        self._reward = one_of("reward", reward, REWARDS)
        self._timing = one_of("timing", timing, TIMINGS)
        self._kind = one_of("observation", observation, OBSERVATIONS)
        self.render_mode = None if render_mode is None else one_of("render_mode", render_mode, RENDER_MODES)
        self._task = task
        self.world = open_world(one_of("family", family, FAMILIES), visual=render_mode is not None)
        self.layout = state_layout(self.world)
        self._ready = False
        self.action_space = spaces.Box(-1, 1, (N_ACTIONS,), np.float32)
        self.observation_space = self._observation_space()

    @property
    def control_dt(self) -> float:
        """Seconds of a tick."""
        return CONTROL_DT

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed)
        task = self._task or int((options or {}).get("task") or self.np_random.choice(TASKS))
        self.world.begin(self.np_random, task, permute=self._task is None)
        self._ready = True
        return self._observe(), {"success": False}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one tick of 50 ms.

        Raises:
            ActionError: the action has another shape, is no number, not finite, or out of [-1, 1]; nothing changed.
            ResetNeededError: there was no reset yet.
        """
        if not self._ready:
            raise ResetNeededError("This environment was not reset yet: call reset() before step().")
        action = _checked_action(action)
        before = self.world.successes() if self._timing == "current" else None
        self.world.play(action)
        successes = self.world.successes() if before is None else before
        done = bool(successes.all())
        reward = float(successes.sum() - len(successes)) if self._reward == "count" else float(done) - 1
        return self._observe(), reward, done, False, {"success": done}

    def facts(self) -> dict[str, np.ndarray]:
        """What is where, copies, by name; positions in m, angles in rad, in the frame of the robot's base.

        Always: effector_pos [3], effector_yaw, gripper_opening (0 open, 1 closed), gripper_contact (0 to 1), time
        (s), successes bool[goals]. With n cubes: cube_pos [n, 3], cube_quat [n, 4] (w first), cube_yaw [n],
        cube_targets [n, 3]. With n buttons: button_states and button_targets int[n], button_pos [n] (pressed below
        -0.02), button_tops [n, 3]. In "scene", for drawer and window: drawer_pos, drawer_target, drawer_handle [3],
        drawer_handle_yaw, drawer_handle_target [3].

        Raises:
            ResetNeededError: there was no reset yet.
        """
        if not self._ready:
            raise ResetNeededError("There are no facts yet: call reset() before facts().")
        return read_facts(self.world)

    def get_state(self) -> np.ndarray:
        """The complete state, float64[n]: set back, everything goes on to the bit.

        Raises:
            ResetNeededError: there was no reset yet.
        """
        if not self._ready:
            raise ResetNeededError("This environment has no state yet: call reset() before get_state().")
        return read_state(self.world, self.layout)

    def set_state(self, state: np.ndarray) -> None:
        """Go on from a state that `get_state` returned, of any environment of the same family.

        Raises:
            ArgumentError: it is not a state of this family; the environment is unchanged.
        """
        write_state(self.world, self.layout, checked_state(self.layout, state))
        self._ready = True

    def _observation_space(self) -> spaces.Space[Any]:
        if self._kind == "state":
            return spaces.Box(-LARGEST_STATE, LARGEST_STATE, (self.layout.size,), np.float64)
        return spaces.Box(-LARGEST, LARGEST, (self.world.family.features,), np.float32)

    def _observe(self) -> np.ndarray:
        if self._kind == "state":
            return self.get_state()
        return self.world.compute_observation().clip(-LARGEST, LARGEST).astype(np.float32)


def _checked_action(action: Any) -> np.ndarray:
    array = np.asarray(action)
    if array.shape != (N_ACTIONS,) or array.dtype.kind not in "fiu" or not np.all(np.abs(array) <= 1 + ROUNDING):
        raise ActionError(
            f"An action is {N_ACTIONS} finite numbers in [-1, 1], not {brief(action)}; the state is unchanged, so "
            "step again."
        )
    return np.clip(array, -1, 1)
