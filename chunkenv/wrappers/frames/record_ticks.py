"""Videos of chunked execution with a frame of every control step."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from chunkenv.errors import ArgumentError, EnvironmentFault, brief
from chunkenv.utils.checks import expect_env
from chunkenv.utils.types import Action, AnyEnv, StepResult, is_list


class RecordTicks(gym.wrappers.RecordVideo):
    """Gymnasium's `RecordVideo`, for environments whose step is many control steps: every tick is in the video.

    Gymnasium's own takes one frame per step, which over `ChunkedExecution` is one per decision. This one takes all
    that `render()` returns with render_mode='rgb_array_list', which is the frame of the reset and one per tick.
    `render()` of this wrapper has nothing left to return: the frames are in the video. (Where nothing has to be drawn
    on the frames that only the chunks know, `ChunkedExecution(RecordVideo(env))` has every tick, too.)

    Args:
        env: an environment with render_mode='rgb_array_list', over `ChunkedExecution`.
        video_folder: where the videos go.
        **options: as Gymnasium's; `video_length` counts ticks, `step_trigger` decisions.

    Raises:
        ArgumentError: the environment renders something else.
        gymnasium.error.DependencyNotInstalled: moviepy is not installed.
    """

    def __init__(self, env: AnyEnv, video_folder: str, **options: Any) -> None:
        expect_env(env, "RecordTicks")
        if env.render_mode != "rgb_array_list":
            raise ArgumentError(
                f"RecordTicks needs the frames of all ticks, but render_mode={env.render_mode!r}: make the environment "
                "with render_mode='rgb_array_list'."
            )
        super().__init__(env, video_folder, **options)

    def step(self, action: Action) -> StepResult:
        """Play one decision and record its ticks."""
        result = super().step(action)
        if not self.recording:
            self.env.render()  # frames of ticks that no video wants, or the next one would begin with them
        return result

    def _capture_frame(self) -> None:
        frames = read_frames(self.env)
        room = self.video_length + 1 - len(self.recorded_frames)  # the reset's frame is not a tick's
        self.recorded_frames += frames[: min(len(frames), room)]


def read_frames(env: AnyEnv) -> list[np.ndarray]:
    """What an environment with render_mode='rgb_array_list' drew since the last call: uint8[height, width, 3] each.

    Raises:
        EnvironmentFault: it returned something else.
    """
    frames: Any = env.render()
    if is_list(frames) and all(is_frame(frame) for frame in frames):
        return list(frames)
    raise EnvironmentFault(
        f"{env} has render_mode='rgb_array_list', but render() returned {describe(frames)}; expected a list of "
        "frames [height, width, 3], one of every tick: let it draw one with render_mode='rgb_array', and wrap it in "
        "gymnasium.wrappers.RenderCollection."
    )


def is_frame(value: Any) -> bool:
    """Whether a value is a picture in colours, [height, width, 3]."""
    array: Any = value
    return isinstance(value, np.ndarray) and array.ndim == 3 and array.shape[2] == 3


def describe(rendered: Any) -> str:
    """What was rendered, for an error's sentence: arrays by their shape."""
    array: Any = rendered
    return f"an array of shape {array.shape}" if isinstance(rendered, np.ndarray) else brief(rendered)
