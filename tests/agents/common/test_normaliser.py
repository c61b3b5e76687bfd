import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.agents.common.normaliser import LEAST_SPREAD, Normaliser


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 1000))
def test_batches_add_up_to_what_numpy_says_of_all(sizes, seed):
    rng = np.random.default_rng(seed)
    batches = [(rng.standard_normal((size, 3)) * [1, 5, 0.2] + [0, -7, 3]).astype(np.float32) for size in sizes]
    seen = Normaliser.of_none(3)
    for batch in batches:
        seen = seen.with_batch(batch)
    rows = np.concatenate(batches).astype(np.float64)
    assert seen.count == len(rows)
    assert seen.mean == pytest.approx(rows.mean(axis=0))
    assert seen.scale == pytest.approx(np.maximum(rows.std(axis=0), LEAST_SPREAD), rel=1e-5)


def test_what_never_moves_is_not_divided_by_nothing():
    seen = Normaliser.of_none(1).with_batch(np.full((10, 1), 3.0, np.float32))
    assert seen.scale == pytest.approx([LEAST_SPREAD])


def test_before_the_first_observation_nothing_is_scaled():
    assert Normaliser.of_none(2).scale.tolist() == [1, 1]


def test_a_batch_leaves_the_old_one_as_it_was():
    old = Normaliser.of_none(1).with_batch(np.ones((2, 1)))
    old.with_batch(np.zeros((2, 1)))
    assert (old.count, old.mean.tolist()) == (2, [1.0])
