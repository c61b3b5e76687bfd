"""Studies: settings (plain cells), one loop that plays them, and what is made of the rows (tables, plots, files).

A study of your own is a `Study` of `study.py`, with a function each that makes a cell's environment and policy, in a
module that can be imported; `settings/delay.py` is one. Rows are played and kept by

    with Store(Path("results/mine/episodes.sqlite"), MyCell) as store:
        for unit in run(study, store, workers=2):
            print(unit)

which may be stopped at any time and goes on from there. In a script it stands under `if __name__ == "__main__":`.
"""
