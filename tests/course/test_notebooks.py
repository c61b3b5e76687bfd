"""Every notebook, with the reference pasted into it, runs from its first cell to its last, plots and trainings too."""

import jupytext
import pytest

from chunkenv.course import find_assignment, make_notebook
from chunkenv.course.assignment import ASSIGNMENTS
from tests.course.in_process import reference

NUMBERS = sorted(path.name.partition("_")[0] for path in ASSIGNMENTS.glob("[0-9]*_*"))
MEASURE = 'if __name__ == "__main__":'
SECONDS = 900
"""That a cell may take; the trainings of assignment 3 are one."""


def solved_notebook(number):
    """The notebook that students get, with a cell in front of its last one: the functions of the reference."""
    notebook = jupytext.reads(make_notebook(find_assignment(number)), fmt="ipynb")
    assert notebook.cells[-1].source.startswith(MEASURE)
    pasted = notebook.cells[-1].copy() | {"id": "pasted", "source": reference(number).partition(MEASURE)[0]}
    notebook.cells.insert(-1, type(notebook.cells[-1])(pasted))
    return notebook


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_a_notebook_with_the_reference_runs(number, tmp_path):
    from nbclient import NotebookClient  # slow to import, and nothing else here needs it

    notebook = solved_notebook(number)
    place = {"metadata": {"path": tmp_path}}
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=place).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert any(path.suffix == ".png" for path in tmp_path.iterdir())
