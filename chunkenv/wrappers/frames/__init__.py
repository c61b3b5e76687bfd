"""Wrappers that show chunked execution: frames with what acts drawn on them, and videos of every control step."""

from chunkenv.wrappers.frames.overlay import ChunkOverlay
from chunkenv.wrappers.frames.record_ticks import RecordTicks

__all__ = ["ChunkOverlay", "RecordTicks"]
