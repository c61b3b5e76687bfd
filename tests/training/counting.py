"""A training whose result is a sum of random numbers."""

import numpy as np

from chunkenv.training.loop import Training
from chunkenv.training.metrics import read_metrics


class Counting(Training):
    kind = "chunkenv counting"

    def __init__(self, total=20, seed=0, report_every=2, evaluate_every=5):
        self.total_steps, self.report_every, self.evaluate_every = total, report_every, evaluate_every
        self.seed, self.count, self.sum = seed, 0, np.zeros(3)

    @property
    def identity(self):
        return {"settings": {"total": self.total_steps}, "seed": self.seed}

    @property
    def steps(self):
        return self.count

    def advance(self):
        self.sum = self.sum + np.random.default_rng([self.seed, self.count]).random(3)
        self.count += 1
        return {"steps": self.steps, "sum": float(self.sum.sum())}

    def evaluate(self):
        return {"evaluated": 1.0}

    def state(self):
        return {"sum": self.sum}, {"count": self.count}

    def restore(self, arrays, facts):
        self.sum, self.count = arrays["sum"], facts["count"]

    def write_results(self, folder):
        (folder / "result.txt").write_text(str(self.sum.tolist()))


def outcome(folder):
    """All that a training leaves."""
    return read_metrics(folder / "metrics.jsonl"), (folder / "result.txt").read_text()
