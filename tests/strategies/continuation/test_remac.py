"""What REMAC gives its policy."""

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.strategies import REMAC, TrainingTimeRTC
from tests.strategies.policies import Gaussian, Prefixed, requests

NOTHING = np.zeros((3, 3), np.float32)


def rows_left(count=3, seed=4):
    return np.random.default_rng(seed).normal(size=(count, 8, 1)).astype(np.float32)


def test_the_free_rows_begin_with_the_plan_and_with_zeros_behind_it():
    policy, left = Prefixed(), rows_left()
    REMAC(policy).infer_batch(NOTHING, requests(left, [8, 3, 0], delay=[2, 2, 2]))
    start, time, lengths = policy.given[0]
    assert time == 0.0
    np.testing.assert_array_equal(lengths, [2, 2, 0])
    planned = policy.to_network(left)
    np.testing.assert_array_equal(start[0], planned[0])
    np.testing.assert_array_equal(start[1, :3], planned[1, :3])
    assert not start[1, 3:].any()
    assert not start[2].any()


def test_it_draws_nothing_and_keeps_the_prefix():
    left = rows_left()
    one, other = (
        REMAC(Prefixed()).infer_batch(NOTHING, requests(left, [8, 4, 4], delay=3, seed=seed)._replace(rng=rng))
        for seed, rng in ((0, None), (1, None))
    )
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(one[:, :3], left[:, :3], rtol=1e-5)


def test_filling_has_no_say():
    left = rows_left()
    clean = REMAC(Prefixed()).infer_batch(NOTHING, requests(left, [2, 2, 2], delay=1))
    left[:, 2:] = np.nan
    np.testing.assert_array_equal(REMAC(Prefixed()).infer_batch(NOTHING, requests(left, [2, 2, 2], delay=1)), clean)


def test_a_policy_without_prefixes_is_refused():
    with pytest.raises(ArgumentError, match="REMAC needs a policy that was trained to continue a prefix"):
        REMAC(Gaussian())


def test_it_costs_what_training_time_rtc_costs():
    assert REMAC(Prefixed()).cost == TrainingTimeRTC(Prefixed()).cost
