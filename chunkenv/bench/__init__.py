"""Studies: cells, one loop that plays them, the store of their rows, and what is made of the rows.

`docs/howto/studies.md` has a study of your own, which `chunkenv bench run FILE` plays. `studies/delay_study.py` makes
environments and policies; `studies/rtc_study.py` plays blocks of episodes itself. Without the command, a study is
played by

    with Store(Path("results/mine/episodes.sqlite"), study.cell, study.results) as store:
        for unit in run_study(study, store, workers=2):
            print(unit)

which may be stopped at any time and goes on from there. In a script it stands under `if __name__ == "__main__":`.
"""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.bench.run.block_queue import StudyError
    from chunkenv.bench.run.runner import Workers, run_study
    from chunkenv.bench.store.reading import open_store
    from chunkenv.bench.store.study_store import Store
    from chunkenv.bench.studies.user_study import load_study
    from chunkenv.bench.study import Block, Cell, Study, Unit

__all__ = [
    "Block",
    "Cell",
    "Store",
    "Study",
    "StudyError",
    "Unit",
    "Workers",
    "load_study",
    "open_store",
    "run_study",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "run.block_queue": "StudyError",
        "run.runner": "Workers run_study",
        "store.reading": "open_store",
        "store.study_store": "Store",
        "studies.user_study": "load_study",
        "study": "Block Cell Study Unit",
    },
)
