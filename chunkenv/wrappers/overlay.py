"""Frames that show what chunked execution does: which chunk acts, what is being inferred, what is late."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from chunkenv.errors import ArgumentError, EnvironmentFault
from chunkenv.utils.checks import expect_env
from chunkenv.utils.types import Action, AnyEnv, Info, Observation, StepResult
from chunkenv.wrappers.overlay_strip import BACKGROUND, MIN_WIDTH, Tick, draw_strip
from chunkenv.wrappers.record_ticks import describe, is_frame, read_frames

RENDER_MODES = ("rgb_array", "rgb_array_list")


class ChunkOverlay(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Puts a strip under the frames of any environment: the last ticks, and which chunk's row acted in each.

    Every chunk has a colour. The strip's bar of inference has the colour of the chunk that was being inferred during a
    tick, its cells the colour of the chunk that acted, with the number of the row; underruns are black and crossed.
    The caption tells the tick, chunk and row, the delay of the decision, and how many underruns the episode had.

    With render_mode='rgb_array_list', `render` returns the frames of all ticks since it was last called or since the
    reset, whose frame comes first: videos need these (see `RecordTicks`). With 'rgb_array' it returns the last tick's.

    Args:
        env: a `ChunkedExecution` with info='full', perhaps wrapped further, over an environment made with one of these
            two modes.

    Raises:
        ArgumentError: the environment does not chunk or renders something else; with the first step, if it does not
            report the sources of its actions.

    >>> from chunkenv.wrappers.chunked_execution import ChunkedExecution
    >>> world = gym.make("CartPole-v1", render_mode="rgb_array_list")
    >>> env = ChunkOverlay(ChunkedExecution(world, 8, 4, latency=2, info="full"))
    >>> observation, info = env.reset(seed=0)
    >>> observation, reward, terminated, truncated, info = env.step([0, 1] * 4)
    >>> [frame.shape for frame in env.render()] == [(468, 600, 3)] * 5
    True
    >>> env.close()
    """

    def __init__(self, env: AnyEnv) -> None:
        expect_env(env, "ChunkOverlay")
        if not env.has_wrapper_attr("prediction_horizon"):
            raise ArgumentError(f"{env} executes no chunks; wrap it in a ChunkedExecution with info='full' first.")
        if env.render_mode not in RENDER_MODES:
            raise ArgumentError(
                f"ChunkOverlay draws on frames, but render_mode={env.render_mode!r}: make the environment with "
                "render_mode='rgb_array_list' (every tick) or 'rgb_array' (the last one of each decision)."
            )
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self._every_tick = env.render_mode == "rgb_array_list"
        self._begin()

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Observation, Info]:
        """Start an episode with an empty strip."""
        result = self.env.reset(seed=seed, options=options)
        self._begin()
        if self._every_tick:
            self._frames = [self._draw(frame) for frame in read_frames(self.env)[-1:]]
        return result

    def step(self, action: Action) -> StepResult:
        """Play one decision and draw its ticks.

        Raises:
            ArgumentError: the info has no sources.
            EnvironmentFault: the environment did not render one frame for each tick.
        """
        result = self.env.step(action)
        ticks = self._ticks(result[-1])
        frames = read_frames(self.env) if self._every_tick else []
        if self._every_tick and len(frames) != len(ticks):
            raise EnvironmentFault(
                f"{self.env} rendered {len(frames)} frames in a decision of {len(ticks)} ticks; let nothing else call "
                "its render(), and use Gymnasium's own rgb_array_list, which has a frame of every tick."
            )
        self._delay = result[-1]["delay"]
        for position, tick in enumerate(ticks):
            self._timeline.append(tick)
            if self._every_tick:
                self._frames.append(self._draw(frames[position]))
        self._decisions += 1
        return result

    def render(self) -> Any:
        """The frames since the last call, or the last tick's, as the environment's render mode wants."""
        if not self._every_tick:
            return self._draw(self._last_frame())
        frames, self._frames = self._frames, []
        return frames

    def _begin(self) -> None:
        self._timeline: list[Tick] = []
        self._frames: list[np.ndarray] = []
        self._decisions, self._delay = 0, 0

    def _last_frame(self) -> np.ndarray:
        frame: Any = self.env.render()
        if not is_frame(frame):
            raise EnvironmentFault(
                f"{self.env} has render_mode='rgb_array', but render() returned {describe(frame)}; expected a "
                "frame [height, width, 3]: give it three colours, or leave ChunkOverlay out."
            )
        return frame

    def _ticks(self, info: Info) -> list[Tick]:
        """The ticks of the decision that `info` is about."""
        if "sources" not in info:
            raise ArgumentError(
                "ChunkOverlay draws info['sources'], which are missing; make the ChunkedExecution with info='full'."
            )
        now, delay = self._decisions, info["delay"]
        return [
            Tick(now - age if age >= 0 else -1, row, now if tick < delay else -1, tick == 0)
            for tick, (age, row) in enumerate(info["sources"].tolist())
        ]

    def _draw(self, frame: np.ndarray) -> np.ndarray:
        """The frame as it is, with the strip under it; a narrow one stands in the middle."""
        height, width, _ = np.shape(frame)
        strip = draw_strip(max(width, MIN_WIDTH), self._timeline, self._caption())
        picture = np.full((height + len(strip), *strip.shape[1:]), BACKGROUND, np.uint8)
        left = (strip.shape[1] - width) // 2
        picture[:height, left : left + width] = frame
        picture[height:] = strip
        return picture

    def _caption(self) -> str:
        if not self._timeline:
            return "tick 0"
        last = self._timeline[-1]
        acted = "no row: underrun" if last.chunk < 0 else f"chunk {last.chunk} row {last.row}"
        underruns = sum(tick.chunk < 0 for tick in self._timeline)
        return f"tick {len(self._timeline)}    {acted}    delay {self._delay}    underruns {underruns}"
