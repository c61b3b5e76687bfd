"""Assignment 1: the reference has all points, the template none, and each typical mistake loses what its tests take."""

import runpy
import subprocess
import sys

import numpy as np
import pytest

from chunkenv.course import cartpole_by_delay, find_assignment
from tests.course.in_process import SOLUTIONS, Answerer, lost_points, reference, score, template, with_mistake

MISTAKES = {
    "rounded down": ("math.ceil(round(latency / control_dt, 9))", "int(latency / control_dt)", 90),
    "rounded to the nearest": ("math.ceil(round(latency / control_dt, 9))", "round(latency / control_dt)", 90),
    "always a tick more": ("math.ceil(round(latency / control_dt, 9))", "int(latency / control_dt) + 1", 90),
    "floats trusted": ("math.ceil(round(latency / control_dt, 9))", "math.ceil(latency / control_dt)", 95),
    "requests every s ticks": ("max(execution_horizon, delay)", "execution_horizon", 75),
    "requests after s and d": ("max(execution_horizon, delay)", "execution_horizon + delay", 65),
    "a chunk acts a tick late": ("request + delays[m] <= tick", "request + delays[m] < max(tick, 1)", 70),
    "a chunk acts at its request": ("request + delays[m] <= tick", "request <= tick", 70),
    "row 0 first": ("tick - requests[there[-1]]", "tick - requests[there[-1]] - delays[there[-1]]", 70),
    "the last row is held": ("if row < prediction_horizon else (-1, -1)", "if row < 99 else (-1, -1)", 90),
    "the oldest chunk acts": ("there = [m for", "there = [0 for", 70),
    "one row too many": ("row < prediction_horizon", "row <= prediction_horizon", 90),
    "chunks without rows counted": ("sum(row == -1 for _, row in played)", "sum(row != -1 for _, row in played)", 95),
    "an underrun is fresh": ("if chunk >= 0 else -1", "if chunk >= 0 else 0", 85),
    "staleness of the last request": (
        "tick - requests[chunk] if",
        "tick - max(each for each in requests if each <= tick) if",
        85,
    ),
    "n in place of n - 1": ("ddof=1", "ddof=0", 90),
    "spread, no error": (" / math.sqrt(len(values))", "", 90),
    "prefix ignored": ("int(request.prefix[row]) if row < request.prefix_length else ", "", 90),
    "prefix not predicted": ("state = next_state(state, action)", "state = state", 75),
    "one row of the prefix too few": ("row < request.prefix_length", "row < request.prefix_length - 1", 90),
}
"""Right text, wrong text, and the score."""


def test_the_reference_has_all_points_and_the_template_none():
    assert lost_points("1", reference("1")) == {}
    assert score("1", template("1")) == 0


@pytest.mark.parametrize("name", MISTAKES)
def test_a_typical_mistake_has_its_score(name):
    right, wrong, points = MISTAKES[name]
    assert score("1", with_mistake("1", right, wrong)) == points


def test_pairs_may_be_compared_with_tuples():
    """Found by solving the assignment: the template says `tuple`, and a list is never equal to one."""
    right, other = "sum(row == -1 for _, row in played)", "played.count((-1, -1))"
    assert lost_points("1", with_mistake("1", right, other)) == {}


def test_the_threshold_lies_three_standard_errors_below_the_reference():
    module = runpy.run_path(str(find_assignment("1").folder / "tests.py"))
    predicting, holding = (
        cartpole_by_delay(Answerer(reference("1")).policy(name), [module["DELAY"]], module["EPISODES"], module["SEED"])
        for name in ("PredictingPolicy", "HoldingPolicy")
    )
    (returns,), (others,) = predicting.values(), holding.values()
    error = np.std(returns, ddof=1) / np.sqrt(len(returns))
    assert np.mean(returns) - 3 * error >= module["LEAST"] > 10 * np.mean(others)


@pytest.mark.slow
def test_the_reference_measures_and_draws(tmp_path):
    script = SOLUTIONS / "1" / "solution.py"
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True, timeout=500)
    assert {path.name for path in tmp_path.iterdir()} == {"timeline.svg", "cartpole.png", "kinetix.png"}


def test_both_end_in_the_same_measurements():
    last = [text.partition('if __name__ == "__main__":')[2] for text in (reference("1"), template("1"))]
    assert last[0] == last[1] != ""
