"""A course on inference latency: assignments, and the grader (extra `course`; `chunkenv course`, docs/course.md)."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.course.assignment import Assignment, find_assignment
    from chunkenv.course.begin import begin_assignment, make_notebook
    from chunkenv.course.chunk_plots import draw_cuts, draw_gains
    from chunkenv.course.delay_curves import cartpole_by_delay, draw_by_delay, kinetix_by_delay
    from chunkenv.course.pack import pack_assignment
    from chunkenv.course.small_worlds import late_slope, returns_on_slope
    from chunkenv.course.standings_page import write_standings
    from chunkenv.course.submissions import grade_all

__all__ = [
    "Assignment",
    "begin_assignment",
    "cartpole_by_delay",
    "draw_by_delay",
    "draw_cuts",
    "draw_gains",
    "find_assignment",
    "grade_all",
    "kinetix_by_delay",
    "late_slope",
    "make_notebook",
    "pack_assignment",
    "returns_on_slope",
    "write_standings",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "assignment": "Assignment find_assignment",
        "begin": "begin_assignment make_notebook",
        "chunk_plots": "draw_cuts draw_gains",
        "delay_curves": "cartpole_by_delay draw_by_delay kinetix_by_delay",
        "pack": "pack_assignment",
        "small_worlds": "late_slope returns_on_slope",
        "standings_page": "write_standings",
        "submissions": "grade_all",
    },
    extra="course",
)
