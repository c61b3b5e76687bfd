"""A course on inference latency: assignments, and the grader (extra `course`; `chunkenv course`, docs/course.md)."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.course.assignment import Assignment, find_assignment
    from chunkenv.course.begin import begin_assignment, make_notebook
    from chunkenv.course.delay_curves import cartpole_by_delay, draw_by_delay, kinetix_by_delay
    from chunkenv.course.pack import pack_assignment
    from chunkenv.course.submissions import grade_all

__all__ = [
    "Assignment",
    "begin_assignment",
    "cartpole_by_delay",
    "draw_by_delay",
    "find_assignment",
    "grade_all",
    "kinetix_by_delay",
    "make_notebook",
    "pack_assignment",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "assignment": "Assignment find_assignment",
        "begin": "begin_assignment make_notebook",
        "delay_curves": "cartpole_by_delay draw_by_delay kinetix_by_delay",
        "pack": "pack_assignment",
        "submissions": "grade_all",
    },
    extra="course",
)
