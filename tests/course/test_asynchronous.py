"""Assignment 4: the reference has all points, the template none, and each typical mistake what its tests take."""

import os
import runpy
import subprocess
import sys

import numpy as np
import pytest

from chunkenv.course import find_assignment
from tests.course.in_process import (
    SOLUTIONS,
    Answerer,
    judges_of,
    lost_points,
    reference,
    share_of,
    template,
    with_mistake,
)

PLAYED = "4.16"
"""The test that plays a Kinetix level. It takes seconds: the everyday tests leave it and its 10 points out."""
PULLED = "pulled = error + (1 - time) * vjp(chunks, time, error)"
CLIPPED = "min((time**2 + (1 - time) ** 2) / (time * (1 - time)), max_guidance)"
DECAYING = "decay = np.clip((end - row) / (end - start + 1), 0.0, 1.0)"
SOFT = "np.where(row < start, 1.0, decay * np.expm1(decay) / np.expm1(1.0))"
EXPECTED = "expected = chunks + (1 - time) * plain"
END = "end = min(left, horizon - execution_horizon)"
BEGIN = '        """Begin an episode."""\n'
RANKS = "np.arange(len(rows)))"
SUM = "np.clip(chunk[row] + head(observation, chunk[row], row), -1.0, 1.0)"
SAMPLING = {
    "the flow time of the step's end": ("velocity(chunks, step / steps)", "velocity(chunks, (step + 1) / steps)", 80),
    "one step too few": ("    for step in range(steps):", "    for step in range(steps - 1):", 75),
    "steps of length 1": ("velocity(chunks, step / steps) / steps", "velocity(chunks, step / steps)", 75),
    "global randomness": ("    chunks = noise\n", "    chunks = np.random.normal(size=noise.shape)\n", 75),
    "one frozen row too few": ("start = min(delay, end)", "start = max(min(delay, end) - 1, 0)", 75),
    "one frozen row too many": ("start = min(delay, end)", "start = min(delay + 1, end)", 75),
    "no end of the decay at H - s": (END, "end = left", 80),
    "padding taken for a plan": (END, "end = horizon - execution_horizon", 75),
    "a linear decay": (SOFT, "np.where(row < start, 1.0, decay)", 75),
    "a decay that begins at 1": (DECAYING, DECAYING.replace("(end - start + 1)", "max(end - start, 1)"), 75),
    "a hard mask": (SOFT, "np.where(row < start, 1.0, 0.0)", 75),
    "guidance unclipped": (CLIPPED, CLIPPED.removeprefix("min(").removesuffix(", max_guidance)"), 75),
    "1 / t for the weight": (CLIPPED, "min(1 / time, max_guidance)", 70),
    "the weight without its variance": (CLIPPED, "min((1 - time) / time, max_guidance)", 65),
    "no guidance at the beginning": ("        return max_guidance\n", "        return 0.0\n", 70),
    "the gradient of the velocity alone": (PULLED, "pulled = (1 - time) * vjp(chunks, time, error)", 70),
    "the velocity's Jacobian for that of x1": (PULLED, "pulled = error + vjp(chunks, time, error)", 70),
    "the error not carried back": (PULLED, "pulled = error", 70),
    "the error of the noisy chunk": (EXPECTED, "expected = chunks", 70),
    "a whole step to the end from everywhere": (EXPECTED, "expected = chunks + plain", 70),
    "away from the plan": ("weights * (plan - expected)", "weights * (expected - plan)", 70),
    "the plan without its weights": ("weights * (plan - expected)", "plan - expected", 70),
    "guided chunks that are not guided": ("naive_chunks(guided, noise", "naive_chunks(velocity, noise", 85),
    "NaN": ("    return plain + guidance_weight", "    return np.nan * plain + guidance_weight", 70),
    "wrong shape": ("naive_chunks(guided, noise, steps)", "naive_chunks(guided, noise, steps)[0]", 85),
}
"""Of what the level is played with: right text, wrong text, and the score without the level's 10 points."""
OTHERS = {
    "the newest counts most": ("np.exp(-DECAY * np.arange", "np.exp(DECAY * np.arange", 85),
    "the plain mean": ("weights=weights)", "weights=None)", 85),
    "ticks in place of ranks": (RANKS, "np.array([t for t, chunk in self.chunks if tick - t < len(chunk)]))", 85),
    "state that leaks over resets": (BEGIN + "        self.chunks = []", BEGIN, 90),
    "a row of another tick": ("chunk[tick - begun]", "chunk[max(tick - begun - 1, 0)]", 90),
    "requests at every tick": ("append((request.tick, chunk))", "append((len(self.chunks), chunk))", 85),
    "the row of the tick before": ("    row = tick - requested\n", "    row = max(tick - requested - 1, 0)\n", 90),
    "the row of the tick in the episode": ("    row = tick - requested\n", "    row = tick % len(chunk)\n", 95),
    "a correction that is not cut": (SUM, SUM.removeprefix("np.clip(").removesuffix(", -1.0, 1.0)"), 95),
    "the correction without the plan": (SUM, SUM.replace("chunk[row] + head", "0.0 + np.asarray(head", 1) + ")", 90),
    "a step uphill": ("weights - rate * 2", "weights + rate * 2", 90),
    "the sum for the mean": ("rate * 2 / len(features) *", "rate * 2 *", 90),
    "the gradient without its 2": ("rate * 2 /", "rate /", 90),
    "labels without what was planned": ("planned + features @ weights - labels", "features @ weights - labels", 90),
    "Wilson's interval in part": ("half = z / shrink", "half = z", 95),
}
"""Of everything else, with the whole score."""
LEVEL = {
    "one step too few": False,
    "steps of length 1": False,
    "no end of the decay at H - s": True,
    "guidance unclipped": True,
    "no guidance at the beginning": True,
    "the gradient of the velocity alone": False,
    "the velocity's Jacobian for that of x1": False,
    "a whole step to the end from everywhere": False,
    "away from the plan": False,
    "guided chunks that are not guided": False,
    "NaN": False,
    "wrong shape": False,
}
"""Whether the level's 10 points come all the same; of the mistakes that lie far enough from its thresholds."""
MISTAKES = OTHERS | {name: (*SAMPLING[name][:2], SAMPLING[name][2] + 10 * passed) for name, passed in LEVEL.items()}
"""Right text, wrong text, and the whole score."""


@pytest.fixture(scope="module")
def module():
    return runpy.run_path(str(find_assignment("4").folder / "tests.py"))


def test_the_reference_has_all_points_and_the_template_none():
    assert lost_points("4", reference("4"), {PLAYED}) == {}
    assert sum(lost_points("4", template("4"), {PLAYED}).values()) == 90


@pytest.mark.parametrize("name", [*SAMPLING, *OTHERS])
def test_a_mistake_has_its_score(name):
    right, wrong, _ = (SAMPLING | OTHERS)[name]
    points = SAMPLING[name][2] if name in SAMPLING else OTHERS[name][2] - 10
    assert 90 - sum(lost_points("4", with_mistake("4", right, wrong), {PLAYED}).values()) == points


def test_the_last_part_is_the_same_in_both():
    last = [text.partition('if __name__ == "__main__":')[2] for text in (reference("4"), template("4"))]
    assert last[0] == last[1] != ""


@pytest.mark.slow
@pytest.mark.parametrize("name", LEVEL)
def test_a_mistake_loses_the_level_or_not(name):
    right, wrong, _ = SAMPLING[name]
    (test,) = (each for each in judges_of("4") if each.number == PLAYED)
    assert (share_of(test, with_mistake("4", right, wrong)) == 1) == LEVEL[name]


@pytest.mark.slow
def test_thresholds_lie_three_standard_errors_from_the_reference(module):
    rows = module["play_guided"](Answerer(reference("4")))
    solved, jumps = (np.array([float(row[name]) for row in rows]) for name in ("success", "boundary_jump"))
    error, spread = (each.std(ddof=1) / np.sqrt(len(rows)) for each in (solved, jumps))
    assert solved.mean() - 3 * error >= module["SOLVED_AT_LEAST"]
    assert jumps.mean() + 3 * spread <= module["JUMP_AT_MOST"]


@pytest.mark.slow
def test_the_reference_measures_and_draws(tmp_path):
    script = SOLUTIONS / "4" / "solution.py"
    env = os.environ | {"JAX_DISABLE_MOST_OPTIMIZATIONS": "0"}
    subprocess.run([sys.executable, script], cwd=tmp_path, env=env, check=True, timeout=900)
    assert {path.name for path in tmp_path.iterdir()} == {"weights.png", "two_ways.png", "solved.png"}
