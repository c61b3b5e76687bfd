"""Studies: settings (plain cells), one loop that plays them, and what is made of the rows (tables, plots, files).

A study of your own is a `Study` of `study.py` in a Python file, which `chunkenv bench run FILE` plays: `docs/bench.md`
has one. `studies/delay_study.py` makes environments and policies, `studies/rtc_study.py` plays blocks of episodes itself. Without
the command, rows are played and kept by

    with Store(Path("results/mine/episodes.sqlite"), study.cell, study.results) as store:
        for unit in run(study, store, workers=2):
            print(unit)

which may be stopped at any time and goes on from there. In a script it stands under `if __name__ == "__main__":`.
"""
