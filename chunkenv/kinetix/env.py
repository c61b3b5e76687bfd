"""The Gymnasium environment of one Kinetix level.

Observations are those of kinetix-env 3.0.2 (Copyright (c) 2024 Michael Matthews; MIT: see THIRD_PARTY_NOTICES.md).
"""

from __future__ import annotations

from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium import spaces

from chunkenv.errors import ActionError, ResetNeededError, brief
from chunkenv.kinetix.backends.selection import open_simulator
from chunkenv.kinetix.engine import kernels
from chunkenv.kinetix.engine.layout import N_ACTIONS, N_FEATURES, STATE
from chunkenv.kinetix.engine.level_simulator import STATE_SIZE
from chunkenv.kinetix.render import frame
from chunkenv.kinetix.rewards import REWARDS, choose
from chunkenv.utils.batching import float32_array
from chunkenv.utils.checks import one_of
from chunkenv.utils.rendering import Window, check_render_size

OBSERVATIONS = ("symbolic", "compact", "state")
RENDER_MODES = ("human", "rgb_array")
_sparse, _distance, _penalty = REWARDS.values()  # their names in older pickles


class Physics(Protocol):
    """What plays the ticks of an environment: a simulator, or the world of another physics engine."""

    def step(self, state: np.ndarray, scratch: np.ndarray, action: np.ndarray, observation: np.ndarray) -> kernels.Tick:
        """As `chunkenv.kinetix.LevelSimulator.step`."""
        ...


class KinetixEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """One of the twelve dynamic Kinetix tasks: make green touch blue, and never red.

    A step is one control step of 1/30 s (two physics frames). Every episode starts in the same state; nothing is
    random. `gymnasium.make("chunkenv/kinetix-<level>-v0")` adds the time limit of 256 steps.

    Action: float32[6] in [-1, 1]: four motor channels, two thruster channels; thrusters are clipped to [0, 1]. Finite
    values outside are clipped by the physics.

    Reward "sparse": 1 when green touches blue, -1 when green touches red (which wins if both), else 0; both end the
    episode. "distance" adds 0.1 times the decrease of the distance between their centres since the last step, from
    the second step on (kinetix-env). "penalty" subtracts distance / 6 / 256 each step, at a failure for all steps
    that were left (the experts of real-time-chunking-kinetix).

    info: `success`, whether green touched blue with this step.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        observation: "symbolic", float32[679] as kinetix-env's symbolic-flat; "compact", float32[7 n]: x, y, vx, vy,
            tanh(w / 10), sin and cos of each of the n bodies that move, in the order of their slots; or "state", the
            engine's state itself, uint8, what `get_state` returns: for planners.
        reward: "sparse", "distance" or "penalty".
        render_mode: None; "rgb_array", with which `render` returns a frame, uint8[render_size, render_size, 3]; or
            "human", a window that shows every step.
        render_size: width and height of a frame in pixels, 16 to 2048.
        backend: "numba", our own engine; "jax", the reference engine itself, for checks (docs/reference/backends.md).

    Attributes:
        simulator: the level in the engine of the backend.

    Raises:
        ArgumentError: an unknown level or option.
        MissingExtraError: the backend is not installed.

    >>> env = KinetixEnv("catapult", observation="compact")
    >>> observation, info = env.reset(seed=0)
    >>> observation.shape, info
    ((35,), {'success': False})
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 30}  # noqa: RUF012 (Gymnasium's own declaration)

    def __init__(
        self,
        level: str,
        observation: str = "symbolic",
        reward: str = "sparse",
        render_mode: str | None = None,
        render_size: int = 500,
        backend: str = "numba",
    ) -> None:
        self.render_mode = None if render_mode is None else one_of("render_mode", render_mode, RENDER_MODES)
        self._render_size = check_render_size(render_size)
        self._window: Window | None = None
        self.simulator = open_simulator(level, backend)
        self._physics: Physics = self.simulator
        self._kind = one_of("observation", observation, OBSERVATIONS)
        self._shape_reward = REWARDS[one_of("reward", reward, tuple(REWARDS))]
        self._size = {"symbolic": N_FEATURES, "compact": self.simulator.compact_size, "state": 0}[observation]
        self._action = np.zeros(N_ACTIONS, np.float32)
        self._allocate(b"")
        self.observation_space = self._observation_space()
        self.action_space = spaces.Box(-1, 1, (N_ACTIONS,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode, always in the level's first state."""
        super().reset(seed=seed)
        self._bytes[:] = self.simulator.initial_state()
        self._action[:] = 0
        self._ready = True
        if self.render_mode == "human":
            self._show()
        return self._observe(), {"success": False}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Play one control step.

        Raises:
            ActionError: the action has another shape, is no number, or is not finite; the state is unchanged.
            ResetNeededError: there was no reset yet, or the episode is over.
        """
        if not self._ready:
            raise ResetNeededError("This environment was not reset yet: call reset() before step().")
        self._take(action)
        seen = np.empty(self._size, np.float32)
        tick = self._physics.step(self._state, self._scratch, self._action, seen)
        if tick.status != kernels.PLAYED:
            self._action[:] = 0  # or a picture would show what was refused
            raise _refusal(tick.status, action)
        if self.render_mode == "human":
            self._show()
        observation = self._bytes.copy() if self._kind == "state" else seen
        return observation, float(self._shape_reward(tick, choose)), tick.ended, False, {"success": tick.reward > 0}

    def render(self) -> np.ndarray | None:
        """The present state as a frame, with "rgb_array"; None with "human", which shows every step by itself.

        Motors and thrusters are shown as the last action left them.

        Raises:
            ResetNeededError: there was no reset yet.
            MissingExtraError: pygame is not installed.
        """
        if self.render_mode is None:
            gymnasium.logger.warn('render() shows nothing without a render_mode: make it with "rgb_array" or "human".')
            return None
        if not self._ready:
            raise ResetNeededError("There is nothing to render yet: call reset() before render().")
        if self.render_mode == "human":
            return self._show()
        return self._frame()

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window:
            self._window.close()
            self._window = None

    def get_state(self) -> np.ndarray:
        """The complete state of the engine, a copy, uint8[n]: set back, everything goes on to the bit.

        It holds bodies, warm-start impulses and the number of ticks, not what wrappers hold (a TimeLimit counts for
        itself).

        Raises:
            ResetNeededError: there was no reset yet.
        """
        if not self._ready:
            raise ResetNeededError("This environment has no state yet: call reset() before get_state().")
        return self._bytes.copy()

    def set_state(self, state: np.ndarray) -> None:
        """Go on from a state that `get_state` returned, of any environment of the same level.

        Raises:
            ArgumentError: it is not a state of this level; the environment is unchanged.
        """
        self._bytes[:] = self.simulator.check_state(state)
        self._action[:] = 0
        self._ready = True

    def __getstate__(self) -> dict[str, Any]:
        # A pickled view would no longer share memory with its array: only the bytes travel.
        views = ("_state", "_scratch", "_bytes")
        rest = {key: value for key, value in self.__dict__.items() if key not in views}
        return {**rest, "_bytes": self._bytes.tobytes(), "_window": None}  # a copy opens a window of its own

    def __setstate__(self, state: dict[str, Any]) -> None:
        ready = state["_ready"]
        self.__dict__.update(state)
        self._allocate(state["_bytes"])
        self._ready = ready

    def _allocate(self, content: bytes) -> None:
        """The engine's memory: the state as records and, sharing memory, as bytes."""
        self._state = np.zeros(1, STATE)
        self._bytes = self._state.view(np.uint8)
        self._bytes[: len(content)] = np.frombuffer(content, np.uint8)
        self._scratch = self.simulator.new_scratch()
        self._ready = False

    def _frame(self) -> np.ndarray:
        return frame(self.simulator.scene, self._state[0], self._action, self._render_size)

    def _show(self) -> None:
        picture = self._frame()
        if self._window is None:
            self._window = Window(self.metadata["render_fps"])
        self._window.show(picture)

    def _take(self, action: Any) -> None:
        """Copy an action of the right shape to where the kernel finds it; the kernel sees whether it is finite."""
        if not (isinstance(action, np.ndarray) and action.dtype == np.float32 and action.shape == (N_ACTIONS,)):
            array = float32_array(action, (N_ACTIONS,))
            if array is None:
                raise ActionError(
                    f"An action is {N_ACTIONS} finite numbers, float32[{N_ACTIONS}], not {brief(action)}."
                )
            action = array
        self._action[:] = action

    def _observation_space(self) -> spaces.Box:
        if self._kind == "state":
            return spaces.Box(0, 255, (STATE_SIZE,), np.uint8)
        return spaces.Box(-10, 10, (self._size,), np.float32)

    def _observe(self) -> np.ndarray:
        if self._kind == "state":
            return self._bytes.copy()
        seen = np.empty(self._size, np.float32)
        self.simulator.observe(self._state, seen)
        return seen


def _refusal(status: int, action: np.ndarray) -> Exception:
    if status == kernels.BAD_ACTION:
        return ActionError(f"An action must be finite, not {brief(action)}; the state is unchanged, so step again.")
    return ResetNeededError("The episode is over: call reset() before the next step().")
