"""Gaussian noise on actions."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from chunkenv.errors import ArgumentError, reset_needed
from chunkenv.utils.checks import expect_env
from chunkenv.utils.seeding import Stream
from chunkenv.utils.spaces import Checked
from chunkenv.utils.types import Action, AnyEnv, Info, Observation, StepResult, is_box
from chunkenv.wrappers.depth import depth_of


class ActionNoise(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Adds Gaussian noise to every action, from a random stream of its own.

    The sum is not clipped here: the environment does that, as it does with an agent's own actions. (For one that does
    not, put `gymnasium.wrappers.ClipAction` inside.)

    Args:
        env: an environment whose actions are a Box of floats.
        std: standard deviation of the noise in units of the action, at least 0; a number, or one per element.

    Raises:
        ArgumentError: for other actions, or an invalid `std`.

    >>> env = ActionNoise(gym.make("Pendulum-v1"), std=0.1)
    >>> observation, info = env.reset(seed=0)
    >>> observation, reward, terminated, truncated, info = env.step([0.5])
    """

    def __init__(self, env: AnyEnv, std: ArrayLike) -> None:
        expect_env(env, "ActionNoise")
        space = env.action_space
        if not is_box(space) or not np.issubdtype(space.dtype, np.floating):
            raise ArgumentError(f"ActionNoise needs actions of a Box of floats, not {space}; leave it out.")
        self._std = _standard_deviation(std, space)
        self._read_action = Checked(space, "action")
        gym.utils.RecordConstructorArgs.__init__(self, std=np.asarray(std).tolist())
        gym.Wrapper.__init__(self, env)
        self._stream = Stream("action_noise", depth_of(ActionNoise, env))
        self._rng: np.random.Generator | None = None
        self._running = False

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Observation, Info]:
        """Start an episode; a seed also starts the noise's own random stream."""
        self._running = False
        observation, info = self.env.reset(seed=seed, options=options)
        self._rng = self._stream.begin(seed)
        self._running = True
        return observation, info

    def step(self, action: Action) -> StepResult:
        """Play one tick with the action and noise.

        Raises:
            ResetNeededError: before the first reset, and after the end of an episode.
            ActionError: for a wrong shape or dtype, NaN or infinity; nothing has moved, and no noise was drawn.
        """
        if not self._running or self._rng is None:
            raise reset_needed("step")
        intended: np.ndarray = self._read_action(action)
        noise = self._std * self._rng.standard_normal(intended.shape)
        self._running = False  # an environment that raises leaves an episode that cannot go on
        observation, reward, terminated, truncated, info = self.env.step((intended + noise).astype(intended.dtype))
        self._running = not (terminated or truncated)
        return observation, reward, terminated, truncated, info


def _standard_deviation(std: ArrayLike, space: spaces.Box[Any]) -> NDArray[np.float64]:
    """`std` as an array of the shape of an action, or of none."""
    try:
        array = np.asarray(std)
        values = array.astype(np.float64) if array.dtype.kind in "iuf" else None
    except ValueError:
        values = None
    if values is None or values.shape not in ((), space.shape):
        raise ArgumentError(f"std={std!r} is not a number, nor one for each element of {space}; give one of the two.")
    if not np.isfinite(values).all() or (values < 0.0).any():
        raise ArgumentError(
            f"std={std!r} is not finite and at least 0; give standard deviations in units of the action."
        )
    return values
