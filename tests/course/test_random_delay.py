"""Assignment 3: the reference has all points, the template none, and each typical mistake what its tests take."""

import runpy

import numpy as np
import pytest

from chunkenv.course import find_assignment
from chunkenv.course.small_worlds import returns_on_slope
from tests.course.in_process import SOLUTIONS, lost_points, reference, score, template, with_mistake

WITH = "WITH_BUFFER = [0.0009, -0.7052, -0.1388, -0.2721, -0.2985, 0.0047]"
MISTAKES = {
    "there a tick late": ("if there[i] <= tick", "if there[i] < tick", 80),
    "the oldest, not the newest": ("[max((i for", "[min((i for", 80),
    "the last to arrive": (
        "max((i for i in range(tick + 1) if there[i] <= tick), default=-1)",
        "max((i for i in range(tick + 1) if there[i] <= tick), key=lambda i: there[i], default=-1)",
        80,
    ),
    "the first action before it has arrived": (
        "if there[i] <= tick), default=-1)",
        "if there[i] <= tick), default=0)",
        80,
    ),
    "state that leaks from call to call": (
        "    there = [tick + delay for tick, delay in enumerate(delays)]",
        "    global sent\n    sent = [*globals().get('sent', []), *delays]\n"
        "    there = [tick + delay for tick, delay in enumerate(sent)]",
        80,
    ),
    "the estimate for the real delay": (
        "    prefix = list(range(waited",
        "    delay = estimate\n    prefix = list(range(waited",
        80,
    ),
    "rows that the chunk before does not have": ("min(waited + delay, horizon)", "waited + delay", 80),
    "as if the robot waited": ("own = list(range(delay,", "own = list(range(0,", 80),
    "s rows of every chunk": ("max(execution_horizon, delay), horizon", "execution_horizon + delay, horizon", 80),
    "the prefix from the beginning of the chunk": (
        "list(range(waited, min(waited + delay, horizon)))",
        "list(range(min(delay, horizon)))",
        80,
    ),
    "a zero-padded prefix without a length": (", prefix.ravel(), [len(rows)]])", ", prefix.ravel()])", 80),
    "a prefix that is always as long as a chunk": ("[len(rows)]", "[len(chunk)]", 80),
    "a prefix as long as expected, where fewer rows are left": ("[len(rows)]", "[estimate]", 90),
    "all that is left for the prefix": ("rows = chunk[waited : waited + estimate]", "rows = chunk[waited:]", 80),
    "rows of the chunk from its beginning": ("rows = chunk[waited : waited + estimate]", "rows = chunk[:estimate]", 80),
    "column by column": ("prefix.ravel()", 'prefix.ravel(order="F")', 90),
    "the standard deviation divided by N": ("gains.std(ddof=1)", "gains.std()", 90),
    "the deviation of an episode, not of the mean": (" / np.sqrt(len(gains))", "", 90),
    "unpaired returns": (
        "gains.std(ddof=1) / np.sqrt",
        "np.hypot(np.std(first, ddof=1), np.std(second, ddof=1)) / np.sqrt",
        90,
    ),
    "global randomness": (
        "    gains = np.asarray(first) - np.asarray(second)",
        "    gains = np.random.permutation(first) - np.asarray(second)",
        90,
    ),
    "a buffer that is ignored": (WITH, "WITH_BUFFER = [0.0, -0.4, 0.0, 0.0, 0.0, 0.0]", 80),
    "the age forgotten": (WITH, "WITH_BUFFER = [-0.7052, -0.1388, -0.2721, -0.2985, 0.0047]", 75),
    "a controller that was not trained": ("WITHOUT_BUFFER = [-0.4152, 0.0041]", "WITHOUT_BUFFER = [0.0, 0.0]", 85),
    "the difference the wrong way round": ("    return MEASURED", "    return [-each for each in MEASURED]", 90),
    "an interval of single episodes": (
        "    return MEASURED",
        "    return [MEASURED[0], MEASURED[0] - 5, MEASURED[0] + 5]",
        90,
    ),
    "an interval too good to be true": (
        "    return MEASURED",
        "    return [MEASURED[0], MEASURED[0] - 0.01, MEASURED[0] + 0.01]",
        90,
    ),
}


@pytest.fixture(scope="module")
def module():
    return runpy.run_path(str(find_assignment("3").folder / "tests.py"))


def test_the_reference_has_all_points_and_the_template_none():
    assert lost_points("3", reference("3")) == {}
    assert score("3", template("3")) == 0.0


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_has_its_score(mistake):
    right, wrong, points = MISTAKES[mistake]
    assert score("3", with_mistake("3", right, wrong)) == points


def test_thresholds_lie_three_standard_errors_below_the_reference(module):
    solution = runpy.run_path(str(SOLUTIONS / "3" / "solution.py"))
    for name, observe, least in (("with", True, "WITH_AT_LEAST"), ("without", False, "WITHOUT_AT_LEAST")):
        returns = returns_on_slope(solution["controllers"]()[name], observe, module["EPISODES"], module["SEED"])
        error = returns.std(ddof=1) / np.sqrt(len(returns))
        assert returns.mean() - 3 * error >= module[least], name


def test_no_gain_without_a_buffer_reaches_what_the_buffer_has_to(module):
    gains = np.arange(-0.46, -0.3, 0.04)
    best = max(returns_on_slope([gain, 0.0], False, 100, module["SEED"]).mean() for gain in gains)
    assert best < module["WITH_AT_LEAST"] - 0.1


@pytest.mark.slow
def test_the_reference_is_what_its_training_gives(module):
    """Up to the last bits of other machines: both are as good, and the difference lies in the same interval."""
    solution = runpy.run_path(str(SOLUTIONS / "3" / "solution.py"))
    first, second = solution["train"](True), solution["train"](False)
    mean, low, high = solution["measure"](first, second)
    assert returns_on_slope(first, True, 100, 0).mean() > module["WITH_AT_LEAST"]
    assert returns_on_slope(second, False, 100, 0).mean() > module["WITHOUT_AT_LEAST"]
    assert 0 < low < mean < high
