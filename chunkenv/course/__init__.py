"""A course on inference latency: assignments, and the grader (extra `course`; `chunkenv course`, docs/course.md)."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.course.assignment import Assignment, find_assignment

__all__ = ["Assignment", "find_assignment"]

__getattr__, __dir__ = lazy_exports(__name__, {"assignment": "Assignment find_assignment"}, extra="course")
