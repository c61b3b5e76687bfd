"""Who has ended and what a step does about it; the environments' own tests say more."""

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from chunkenv.errors import ArgumentError, ResetNeededError
from chunkenv.utils.autoreset import Autoreset, read_mode, read_start

SPACE = spaces.Box(0.0, 9.0, (1,))
ENDED = np.array([True, False])
SEEN = np.array([[5.0], [6.0]])
INFOS = {"a": np.array([1, 2]), "_a": np.array([True, True])}
NOBODY = np.zeros(2, bool)


def restart(members):
    return np.zeros((2, 1)), {"b": members * 3, "_b": members.copy()}


def settled(mode):
    autoreset = Autoreset(mode, 2, SPACE)
    return autoreset, *autoreset.settle(SEEN.copy(), ENDED, INFOS, NOBODY, restart)


def test_next_step_resets_with_the_next():
    autoreset, seen, infos = settled("NextStep")
    assert (seen.tolist(), infos["a"].tolist()) == (SEEN.tolist(), [1, 2])
    resetting = autoreset.resetting()
    assert resetting.tolist() == [True, False]
    seen, infos = autoreset.settle(SEEN.copy(), NOBODY, {}, resetting, restart)
    assert (seen.tolist(), infos["b"].tolist()) == ([[0.0], [6.0]], [3, 0])
    assert not autoreset.resetting().any()


def test_same_step_resets_at_once():
    autoreset, seen, infos = settled(AutoresetMode.SAME_STEP)
    assert seen.tolist() == [[0.0], [6.0]]
    assert (infos["final_obs"][0].tolist(), infos["final_obs"][1]) == ([5.0], None)
    assert (infos["final_info"]["a"].tolist(), infos["final_info"]["_a"].tolist()) == ([1, 0], [True, False])
    assert (infos["a"].tolist(), infos["b"].tolist()) == ([0, 2], [3, 0])
    assert not autoreset.resetting().any()


def test_same_step_resets_one_that_was_left_ended():
    autoreset = Autoreset("SameStep", 2, SPACE)
    seen, infos = autoreset.settle(SEEN.copy(), NOBODY, {}, ENDED, restart)
    assert (seen.tolist(), infos["b"].tolist()) == ([[0.0], [6.0]], [3, 0])
    assert "final_obs" not in infos
    assert not autoreset.ended.any()


def test_disabled_waits_for_the_caller():
    autoreset, seen, infos = settled(AutoresetMode.DISABLED)
    assert (seen.tolist(), infos) == (SEEN.tolist(), INFOS)
    with pytest.raises(ResetNeededError, match=r"environments \[0\] are over"):
        autoreset.resetting()


def test_a_restart_that_fails_leaves_it_ended():
    autoreset = Autoreset("SameStep", 2, SPACE)

    def fails(members):
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        autoreset.settle(SEEN.copy(), ENDED, INFOS, NOBODY, fails)
    assert autoreset.ended.tolist() == [True, False]


@pytest.mark.parametrize("mode", ["same", None, 1])
def test_an_unknown_mode(mode):
    with pytest.raises(ArgumentError, match="'NextStep', 'SameStep', 'Disabled'"):
        read_mode(mode)


def test_what_a_reset_asks_for():
    options = {"reset_mask": np.array([False, True]), "low": 0.1}
    start = read_start(4, options, 2)
    assert (start.members.tolist(), start.seeds, start.options) == ([False, True], [4, 5], {"low": 0.1})
    assert "reset_mask" in options
    assert not np.shares_memory(start.members, options["reset_mask"])
    start = read_start(None, None, 2)
    assert (start.members.tolist(), start.seeds, start.options) == ([True, True], [None, None], None)
    assert read_start([None, 3], None, 2).seeds == [None, 3]
