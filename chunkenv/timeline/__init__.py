"""Timelines as pictures: which chunk acts when, what is in flight, what is late.

`Timeline` holds what happened, from the infos of a run or from sources and inferences; `plan_timeline` makes one
without an environment, `recorded_timeline` one of a control loop's recording; `draw_timeline` draws one as SVG. A
notebook shows a `Timeline` as its picture.
"""

from chunkenv.timeline.drawing import draw_timeline
from chunkenv.timeline.planning import plan_timeline
from chunkenv.timeline.recorded import recorded_timeline
from chunkenv.timeline.what_happened import InferenceTimes, Timeline

__all__ = ["InferenceTimes", "Timeline", "draw_timeline", "plan_timeline", "recorded_timeline"]
