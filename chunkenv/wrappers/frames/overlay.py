"""Frames that show what chunked execution does: which chunk acts, what is being inferred, what is late."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from chunkenv.errors import ArgumentError, EnvironmentFault
from chunkenv.utils.checks import expect_env
from chunkenv.utils.types import Action, AnyEnv, Info, Observation, StepResult
from chunkenv.wrappers.frames.overlay_strip import BACKGROUND, MIN_WIDTH, MOST_BARS, NO_BAR, Bar, Tick, draw_strip
from chunkenv.wrappers.frames.record_ticks import describe, is_frame, read_frames

RENDER_MODES = ("rgb_array", "rgb_array_list")


class _UnderWay(NamedTuple):
    """An inference under way: its chunk's number, and the ticks from which on its first and its last row are there."""

    chunk: int
    acts: int
    ends: int


NOTHING_UNDER_WAY = _UnderWay(-1, 0, 0)


class ChunkOverlay(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Puts a strip under the frames of any environment: the last ticks, and which chunk's row acted in each.

    Every chunk has a colour. The strip's bars of inference have the colour of the chunk that was being inferred during
    a tick, its cells the colour of the chunk that acted, with the number of the row; underruns are black and crossed.
    With several inferences in flight there are as many lanes of bars, up to 8; a bar is thinner while some rows of its
    chunk are there and others still come. A line below a cell says that its action was corrected, and how much. The
    caption tells the tick, chunk and row, the delay of the decision, how many underruns the episode had and how many
    chunks were overtaken, and the correction.

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
        self._lanes = min(env.get_wrapper_attr("max_in_flight"), MOST_BARS)
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
        self._overtaken += result[-1].get("overtaken", 0)
        self._corrects = "base_actions" in result[-1]
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
        self._decisions = self._delay = self._overtaken = 0
        self._corrects = False
        self._in_flight = [NOTHING_UNDER_WAY] * self._lanes

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
        self._take_off(info)
        now, start, corrections = self._decisions, len(self._timeline), _corrections(info)
        return [
            Tick(now - age if age >= 0 else -1, row, self._bars(start + tick), tick == 0, corrections[tick])
            for tick, (age, row) in enumerate(info["sources"].tolist())
        ]

    def _take_off(self, info: Info) -> None:
        """Give the inference of a decision the first lane that is free."""
        start, delay = len(self._timeline), info["delay"]
        last = max(info["row_delays"].tolist()) if "row_delays" in info else delay
        free = (lane for lane, other in enumerate(self._in_flight) if other.ends <= start)
        if (lane := next(free, None)) is not None:
            self._in_flight[lane] = _UnderWay(self._decisions, start + delay, start + last)

    def _bars(self, tick: int) -> tuple[Bar, ...]:
        return tuple(Bar(each.chunk, tick >= each.acts) if tick < each.ends else NO_BAR for each in self._in_flight)

    def _draw(self, frame: np.ndarray) -> np.ndarray:
        """The frame as it is, with the strip under it; a narrow one stands in the middle."""
        height, width, _ = np.shape(frame)
        strip = draw_strip(max(width, MIN_WIDTH), self._timeline, self._caption(), self._lanes)
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
        parts = [f"tick {len(self._timeline)}", acted, f"delay {self._delay}", f"underruns {underruns}"]
        parts += [f"overtaken {self._overtaken}"] if self._overtaken else []
        parts += [f"correction {last.correction:.2g}"] if self._corrects else []
        return "    ".join(parts)


def _corrections(info: Info) -> list[float]:
    """For each tick the largest correction of a coordinate of the action; 0 where no row was there to be corrected."""
    if "base_actions" not in info:
        return [0.0] * len(info["sources"])
    ticks = zip(info["actions"], info["base_actions"], info["sources"][:, 0].tolist(), strict=True)
    return [float(np.max(np.abs(np.subtract(after, before)), initial=0.0)) * (age >= 0) for after, before, age in ticks]
