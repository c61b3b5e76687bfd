"""A stretch of ticks, drawn: an axis, a lane for each chunk, what acted, and the seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chunkenv.timeline.palette import colour_of, hex_of
from chunkenv.timeline.svg_shapes import box, cross, element, hatched, number, text, tip

if TYPE_CHECKING:
    from chunkenv.timeline.what_happened import InferenceTimes, Timeline

CELL, LEFT = 26, 84  # pixels: the width of a tick, and what stands left of the first
AXIS, LANE, EXECUTED, SECONDS = 20, 36, 30, 20
BAR, ROW = (4, 11), (17, 15)  # top and height in a lane


class Panel:
    """Ticks that stand side by side.

    Args:
        timeline: what happened.
        first: the first tick.
        stop: the tick after the last one.

    Attributes:
        window: the ticks.
        chunks: the chunks that have a lane: those that act here, or are in flight here.
        height: in pixels.
    """

    def __init__(self, timeline: Timeline, first: int, stop: int) -> None:
        self.timeline, self.window = timeline, range(first, stop)
        acting = {chunk for chunk, _ in timeline.acted[first:stop]}
        self.chunks = [
            chunk for chunk in range(len(timeline.inferences)) if chunk in acting or self.is_under_way(chunk)
        ]
        self.behind = {tick: seconds for tick, seconds in timeline.late.items() if tick in self.window and seconds > 0}
        timed = SECONDS * (bool(timeline.control_dt) + bool(self.behind))
        self.height = AXIS + LANE * len(self.chunks) + EXECUTED + timed

    def is_under_way(self, chunk: int) -> bool:
        """Whether a part of a chunk's inference is in the window."""
        inference, window = self.timeline.inferences[chunk], self.window
        ends = window.stop if inference.finishes is None else inference.finishes
        return inference.request < window.stop and ends > window.start

    def kind_of(self, chunk: int, tick: int) -> str:
        """What a chunk's row of a tick came to: 'acted', 'missing' (not there by then), 'unused', '' if it has none."""
        row = tick - self.timeline.starts[chunk]
        if not 0 <= row < self.timeline.prediction_horizon:
            return ""
        if self.timeline.acted[tick] == (chunk, row):
            return "acted"
        return "unused" if self.timeline.is_there(chunk, tick) else "missing"

    def draw(self, top: float) -> str:
        """The panel, `top` pixels below the picture's upper edge."""
        lanes = top + AXIS
        executed = lanes + LANE * len(self.chunks)
        parts = [self._draw_axis(top), self._draw_requests(top, executed + EXECUTED)]
        parts += [self._draw_lane(chunk, lanes + LANE * place) for place, chunk in enumerate(self.chunks)]
        parts.append(self._draw_executed(executed))
        if self.timeline.control_dt:
            parts.append(self._draw_seconds(executed + EXECUTED, self.timeline.control_dt))
        return "".join(parts)

    def _x(self, tick: float) -> float:
        """Where a tick begins; ticks outside stand at the edge."""
        return LEFT + CELL * (min(max(tick, self.window.start), self.window.stop) - self.window.start)

    def _draw_axis(self, top: float) -> str:
        numbers = [text(self._x(tick) + CELL / 2, top + 12, tick, "small middle") for tick in self.window]
        return text(8, top + 12, "tick", "small") + "".join(numbers)

    def _draw_requests(self, top: float, bottom: float) -> str:
        here = [each.request for each in self.timeline.inferences if each.request in self.window]
        lines = "".join(f"M{number(self._x(tick))} {number(top + 19)}V{number(bottom)}" for tick in here)
        heads = "".join(f"M{number(self._x(tick) - 4)} {number(top + 15)}h8l-4 6z" for tick in here)
        return element("path", "line", d=lines) + element("path", "request", d=heads) if here else ""

    def _draw_lane(self, chunk: int, top: float) -> str:
        inference, fill = self.timeline.inferences[chunk], hex_of(colour_of(chunk))
        bar, height = top + BAR[0], BAR[1]
        parts = [tip(self._describe(chunk)), box(8, top + ROW[0] + 2, 10, 10, "acted", fill=fill)]
        parts.append(text(24, top + ROW[0] + 11, f"chunk {chunk}"))
        for x, width, opacity in self.bars(inference):
            parts.append(box(x, bar, width, height, "acted", fill=fill, fill_opacity=opacity))
        parts += self._landings(inference, bar)
        parts += [self._draw_row(chunk, tick, top + ROW[0]) for tick in self.window]
        return element("g", inside="".join(parts))

    def bars(self, inference: InferenceTimes) -> Iterator[tuple[float, float, float]]:
        """Left, width and opacity of the bars of an inference: fainter once it is over, or while rows still come."""
        end = self.window.stop if inference.finishes is None else inference.finishes
        dense = end if inference.arrives is None else inference.arrives
        at_once = inference.arrives == inference.finishes
        if at_once and inference.seconds is not None and self.timeline.control_dt:
            began = inference.request + self.timeline.late.get(inference.request, 0.0) / self.timeline.control_dt
            dense = min(began + inference.seconds / self.timeline.control_dt, end)
        for begin, stop, opacity in ((inference.request, dense, 1.0), (dense, end, 0.35)):
            if (left := self._x(begin)) < (right := self._x(stop)):
                yield left, right - left, opacity

    def _landings(self, inference: InferenceTimes, top: float) -> list[str]:
        """Which rows come when, if they come one by one."""
        delays = inference.delays
        if len(set(delays)) < 2:
            return []
        marks: list[str] = []
        for delay in sorted(set(delays)):
            tick, rows = inference.request + delay, [row for row, there in enumerate(delays) if there == delay]
            name = f"{rows[0]}" if len(rows) == 1 else f"{rows[0]}–{rows[-1]}"
            inside = tick < (inference.finishes or 0)
            if tick in self.window:
                marks.append(text(self._x(tick) + 3, top + 8.5, name, "note" if inside else "small"))
        return marks

    def _draw_row(self, chunk: int, tick: int, top: float) -> str:
        kind, row = self.kind_of(chunk, tick), tick - self.timeline.starts[chunk]
        x, middle, height = self._x(tick) + 1.5, self._x(tick) + CELL / 2, ROW[1]
        if kind == "acted":
            cell = box(x, top, CELL - 3, height, "acted", fill=hex_of(colour_of(chunk)))
            return cell + text(middle, top + 11.5, row, "on middle")
        if kind == "unused":
            return box(x, top, CELL - 3, height, "unused") + text(middle, top + 11.5, row, "small middle")
        return hatched(x, top, CELL - 3, height) if kind else ""

    def _draw_executed(self, top: float) -> str:
        cells = [self._draw_executed_tick(tick, top + 5) for tick in self.window]
        line = element("path", "line", d=f"M{LEFT} {number(top + 0.5)}h{CELL * len(self.window)}")
        return line + text(8, top + 19, "executed") + "".join(cells)

    def _draw_executed_tick(self, tick: int, top: float) -> str:
        chunk, row = self.timeline.acted[tick]
        x, width, height = self._x(tick) + 0.5, CELL - 1, 20
        said = tip(f"tick {tick}: " + ("no row, an underrun" if chunk < 0 else f"row {row} of chunk {chunk}"))
        if chunk < 0:
            return box(x, top, width, height, "underrun", said) + cross(x, top, width, height)
        filled = box(x, top, width, height, "acted", said, fill=hex_of(colour_of(chunk)))
        return filled + text(self._x(tick) + CELL / 2, top + 14, row, "on middle")

    def _draw_seconds(self, top: float, control_dt: float) -> str:
        """The wall clock: when ticks are due, and by how much they began late."""
        line = [f"M{LEFT} {number(top + 5)}H{number(self._x(self.window.stop))}"]
        line += [f"M{number(self._x(tick))} {number(top + 2)}v6" for tick in self.window]
        due = [tick for tick in self.window if tick % 5 == 0]
        parts = [element("path", "missing", d="".join(line)), text(8, top + 16, "seconds", "small")]
        parts += [text(self._x(tick) + 2, top + 17, f"{tick * control_dt:.4g}", "small") for tick in due]
        return "".join(parts) + self._draw_late(top, control_dt)

    def _draw_late(self, top: float, control_dt: float) -> str:
        """A bar from the deadline of a late tick to its beginning, and its milliseconds."""
        if not self.behind:
            return ""
        parts, low = [text(8, top + SECONDS + 14, "late by (ms)", "small")], top + SECONDS + 14
        for tick, seconds in sorted(self.behind.items()):
            x, end, milliseconds = self._x(tick), self._x(tick + seconds / control_dt), f"{seconds * 1000:.3g}"
            said = tip(f"tick {tick} began {milliseconds} ms late")
            parts.append(element("rect", "behind", said, x=x, y=top + 2, width=end - x, height=6))
            parts.append(text(x, low, f"+{milliseconds}", "behind"))
        return "".join(parts)

    def _describe(self, chunk: int) -> str:
        """What became of a chunk, in words."""
        inference = self.timeline.inferences[chunk]
        rows = [row for acting, row in self.timeline.acted if acting == chunk]
        came = "has not come" if inference.arrives is None else f"there from tick {inference.arrives} on"
        acts = f"rows {rows[0]} to {rows[-1]} act" if rows else "no row acts"
        return f"chunk {chunk}: requested at tick {inference.request}, {came}; {acts}"
