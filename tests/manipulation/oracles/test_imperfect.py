"""How often an imperfect demonstrator pauses, goes astray and gives up."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.errors import ArgumentError
from chunkenv.manipulation.oracles import Imperfection, ImperfectOracle
from chunkenv.manipulation.oracles.imperfect import FIRST_TICKS, LONGEST, REST, SHORTEST, SPEED, begin_chances

ACTION = np.array([1, 1, 1, 1, 0.25], np.float32)


class Steady:
    """Does the same always, with fingers that do not."""

    def reset(self):
        self.acted = 0

    def act(self, facts):
        self.acted += 1
        return ACTION

    def leave(self, facts):
        return -ACTION


def rows(imperfection, ticks, seed=0):
    oracle = ImperfectOracle(Steady(), imperfection, np.random.default_rng(seed))
    return np.stack([oracle.act({}) for _ in range(ticks)])


def still(actions):
    return (actions[:, :4] == 0).all(axis=1)


def astray(actions):
    return (actions[:, 2] == SPEED / 2) & (actions[:, 3] == 0)


@pytest.mark.parametrize(("pauses", "detours"), [(0.2, 0.1), (0.0, 0.3), (0.5, 0.0), (0.45, 0.45)])
def test_ticks_are_shared_as_asked(pauses, detours):
    actions = rows(Imperfection(pauses, detours), 40_000)
    assert still(actions).mean() == pytest.approx(pauses, abs=0.02)
    assert astray(actions).mean() == pytest.approx(detours, abs=0.02)
    others = actions[~still(actions) & ~astray(actions)]
    assert np.array_equal(others, np.broadcast_to(ACTION, others.shape))


def test_episodes_fail_as_often_as_asked():
    rng = np.random.default_rng(0)
    oracle = ImperfectOracle(Steady(), Imperfection(failures=0.3), rng)
    failed = []
    for _ in range(2000):
        oracle.reset()
        actions = np.stack([oracle.act({}) for _ in range(FIRST_TICKS)])
        failed.append(np.any(actions < 0))
    assert np.mean(failed) == pytest.approx(0.3, abs=0.03)


def test_who_gives_up_leaves_and_is_over_a_little_later():
    oracle = ImperfectOracle(Steady(), Imperfection(failures=1.0), np.random.default_rng(1))
    actions = []
    while not oracle.over:
        actions.append(oracle.act({}))
    gave_up = next(index for index, action in enumerate(actions) if np.array_equal(action, -ACTION))
    assert gave_up < FIRST_TICKS
    assert len(actions) == gave_up + REST
    assert all(np.array_equal(action, -ACTION) for action in actions[gave_up:])
    oracle.reset()
    assert not oracle.over


def test_fingers_stay_as_they_are_in_a_lapse():
    actions = rows(Imperfection(0.3, 0.3), 2000)
    acted = int(np.argmax((actions == ACTION).all(axis=1)))
    assert np.all(actions[acted:, 4] == ACTION[4])


def test_a_lapse_takes_some_ticks():
    runs = np.diff(np.flatnonzero(np.diff(still(rows(Imperfection(pauses=0.1), 5000)).astype(int))))[::2]
    assert runs.min() >= SHORTEST
    assert np.median(runs) <= LONGEST


@settings(deadline=None)
@given(st.floats(0, 0.99), st.floats(0, 1))
def test_chances_are_chances(lapses, split):
    chances = begin_chances(Imperfection(lapses * split, lapses * (1 - split)))
    assert all(chance >= 0 for chance in chances)
    assert sum(chances) <= 1 or math.isclose(sum(chances), 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(pauses=-0.1), "pauses=-0.1"),
        (dict(failures=1.5), "failures=1.5"),
        (dict(pauses=0.5, detours=0.5), "leave no time to act"),
        (dict(detours=math.nan), "detours=nan"),
    ],
)
def test_shares_that_are_none_are_refused(given, said):
    with pytest.raises(ArgumentError, match=said):
        Imperfection(**given)
