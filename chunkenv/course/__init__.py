"""A course on inference latency: assignments, and the grader (extra `course`; `chunkenv course`).

How to give it is in docs/howto/course.md.
"""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.course.assignment import Assignment, find_assignment
    from chunkenv.course.async_plots import draw_solve_rates, draw_two_ways, draw_weights
    from chunkenv.course.begin import begin_assignment, begin_blank, make_notebook
    from chunkenv.course.chunk_plots import draw_cuts, draw_gains
    from chunkenv.course.delay_curves import cartpole_by_delay, draw_by_delay, kinetix_by_delay
    from chunkenv.course.delay_profiles import draw_by_model, draw_profiles, sample_delays
    from chunkenv.course.late_flows import Ensembled, LateFlow, late_flow, play_late, solved_by_delay
    from chunkenv.course.pack import pack_assignment
    from chunkenv.course.small_worlds import late_slope, returns_on_slope
    from chunkenv.course.standings_page import write_standings
    from chunkenv.course.submissions import grade_all
    from chunkenv.course.two_ways import TwoWays
    from chunkenv.course.windy_cartpole import PUBLIC_MODELS, count_solved, late_cartpole

__all__ = [
    "PUBLIC_MODELS",
    "Assignment",
    "Ensembled",
    "LateFlow",
    "TwoWays",
    "begin_assignment",
    "begin_blank",
    "cartpole_by_delay",
    "count_solved",
    "draw_by_delay",
    "draw_by_model",
    "draw_cuts",
    "draw_gains",
    "draw_profiles",
    "draw_solve_rates",
    "draw_two_ways",
    "draw_weights",
    "find_assignment",
    "grade_all",
    "kinetix_by_delay",
    "late_cartpole",
    "late_flow",
    "late_slope",
    "make_notebook",
    "pack_assignment",
    "play_late",
    "returns_on_slope",
    "sample_delays",
    "solved_by_delay",
    "write_standings",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "assignment": "Assignment find_assignment",
        "async_plots": "draw_solve_rates draw_two_ways draw_weights",
        "begin": "begin_assignment begin_blank make_notebook",
        "chunk_plots": "draw_cuts draw_gains",
        "delay_curves": "cartpole_by_delay draw_by_delay kinetix_by_delay",
        "delay_profiles": "draw_by_model draw_profiles sample_delays",
        "late_flows": "Ensembled LateFlow late_flow play_late solved_by_delay",
        "pack": "pack_assignment",
        "small_worlds": "late_slope returns_on_slope",
        "standings_page": "write_standings",
        "submissions": "grade_all",
        "two_ways": "TwoWays",
        "windy_cartpole": "PUBLIC_MODELS count_solved late_cartpole",
    },
    extra="course",
)
