"""A linear world, in which the right correction is known."""

import numpy as np
import pytest

from chunkenv.agents.delay_aware.residual_learning import HeadSettings
from chunkenv.agents.policies.correction_head import load_correction_head
from chunkenv.errors import ArgumentError
from chunkenv.training.correction import HEAD, HeadTraining
from chunkenv.training.correction_labels import LabelledTicks
from chunkenv.training.loop import resume, train

HORIZON, GAIN = 4, np.array([[0.6, -0.2], [0.1, 0.5]])
FACTS = {"level": "line", "label": "expert"}


def roll(start, ticks, rng, head=None, noise=0.3):
    """States x' = x + a + noise; each plan is what x' = x + a makes of a = -GAIN x: the states, and planned actions."""
    states, rows, x = [], [], start
    for tick in range(ticks):
        if tick % HORIZON == 0:
            guess = x
        planned = -guess @ GAIN.T
        states.append(x)
        rows.append(planned)
        added = (
            0
            if head is None
            else head.residuals(x.astype(np.float32), planned.astype(np.float32), places(len(x), tick))
        )
        guess = guess + planned
        x = x + planned + added + noise * rng.standard_normal(x.shape)
    return np.stack(states, axis=1), np.stack(rows, axis=1)


def places(count, tick):
    return np.full(count, tick % HORIZON)


def ticks(count=500, label_noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    states, rows = roll(rng.standard_normal((count, 2)), 8, rng)
    labels = -states @ GAIN.T + label_noise * rng.standard_normal(rows.shape)
    flat = [each.reshape(-1, 2).astype(np.float32) for each in (states, rows, labels)]
    return LabelledTicks(flat[0], flat[1], np.tile(np.arange(8) % HORIZON, count), flat[2], HORIZON)


def settings(**changes):
    return HeadSettings(**{"hidden": (32, 32), "updates": 200, "batch": 64, "warm_up": 20, **changes})


def trained(data=None, seed=0, **changes):
    training = HeadTraining(data or ticks(), settings(**changes), seed, FACTS)
    while not training.done:
        training.advance()
    return training


@pytest.fixture(scope="module")
def head():
    return trained(ticks(4000, label_noise=0.2), updates=700, batch=256, learning_rate=1e-2, hidden=(64, 64)).head()


def test_it_learns_the_correction_of_a_linear_world_through_the_noise_of_its_labels(head):
    """Right is -GAIN x - row: what a fresh plan would do now in place of the old one's row."""
    fresh = ticks(200, seed=1)
    right = -fresh.observations @ GAIN.T.astype(np.float32) - fresh.rows
    error = head.residuals(fresh.observations, fresh.rows, fresh.places) - right
    assert np.sqrt((right**2).mean()) > 0.2
    assert np.sqrt((error**2).mean()) < 0.04


def test_with_it_late_plans_are_as_good_as_feedback(head):
    start = np.random.default_rng(2).standard_normal((400, 2))
    costs = {}
    for name, corrects in (("late", None), ("corrected", head), ("feedback", Feedback())):
        states, _ = roll(start, 40, np.random.default_rng(3), corrects)
        costs[name] = (states[:, 10:] ** 2).mean()
    assert costs["late"] > 1.3 * costs["feedback"]
    assert costs["corrected"] == pytest.approx(costs["feedback"], rel=0.03)


class Feedback:
    def residuals(self, states, rows, places):
        return -states @ GAIN.T - rows


def test_an_untrained_head_corrects_nothing():
    data = ticks(10)
    untrained = HeadTraining(data, settings(), 0, FACTS).head()
    assert not untrained.residuals(data.observations, data.rows, data.places).any()


def test_the_error_of_the_plan_is_known_before():
    data = ticks(10)
    error = ((data.labels - data.rows) ** 2).mean()
    assert HeadTraining(data, settings(), 0, FACTS).uncorrected == pytest.approx(error, rel=1e-5)


def bytes_of(folder, **arguments):
    training = resume(HeadTraining(ticks(), settings(updates=2000), arguments.get("seed", 0), FACTS), folder)
    list(train(training, folder))
    return (folder / HEAD).read_bytes()


@pytest.mark.no_cover
def test_the_same_seed_gives_the_same_bytes_also_after_a_break(tmp_path):
    whole = bytes_of(tmp_path / "whole")
    assert load_correction_head(tmp_path / "whole" / HEAD).facts["updates"] == 2000
    broken = HeadTraining(ticks(), settings(updates=2000), 0, FACTS)
    for metrics in train(broken, tmp_path / "broken"):
        if metrics["steps"] == 1300:
            break
    assert not (tmp_path / "broken" / HEAD).exists()
    assert resume(HeadTraining(ticks(), settings(updates=2000), 0, FACTS), tmp_path / "broken").steps == 1000
    assert bytes_of(tmp_path / "broken") == whole
    assert bytes_of(tmp_path / "other", seed=1) != whole


@pytest.mark.parametrize(
    ("data", "changes", "name"),
    [(ticks(), {"batch": 32}, "batch"), (ticks(), {"hidden": (16,)}, "hidden"), (ticks(seed=1), {}, "sums")],
)
def test_another_training_is_refused(tmp_path, data, changes, name):
    list(train(HeadTraining(ticks(), settings(updates=100), 0, FACTS), tmp_path))
    with pytest.raises(ArgumentError, match=f"was begun with {name}="):
        resume(HeadTraining(data, settings(updates=100, **changes), 0, FACTS), tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"hidden": (0,)}, "hidden=0 is too small"), ({"updates": 0}, "updates=0"), ({"clip": -1.0}, "clip=-1.0")],
)
def test_settings_that_cannot_be_meant(changes, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        settings(**changes)
