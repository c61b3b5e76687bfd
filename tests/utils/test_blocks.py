import numpy as np
import pytest

from chunkenv.utils.blocks import BLOCK, in_blocks


class Counted:
    """Rows' own sums, and how many rows each call was given."""

    def __init__(self):
        self.calls = []

    def __call__(self, one, other):
        self.calls.append(len(one))
        assert len(one) == len(other)
        return one.sum(axis=1) + other


def arrays(count):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, 3)), rng.normal(size=count)


@pytest.mark.parametrize("count", [1, BLOCK, BLOCK + 1, 5 * BLOCK - 3])
def test_every_row_is_what_the_function_makes_of_it(count):
    counted, (one, other) = Counted(), arrays(count)
    np.testing.assert_array_equal(in_blocks(counted, None, one, other), one.sum(axis=1) + other)
    assert counted.calls == ([count] if count <= BLOCK else [BLOCK] * -(-count // BLOCK))


@pytest.mark.parametrize("wanted", [BLOCK + 1, BLOCK, 1])
def test_rows_that_are_not_wanted_are_not_computed(wanted):
    counted, (one, other) = Counted(), arrays(4 * BLOCK)
    chosen = np.zeros(4 * BLOCK, bool)
    chosen[np.random.default_rng(1).permutation(4 * BLOCK)[:wanted]] = True
    found = in_blocks(counted, chosen, one, other)
    np.testing.assert_array_equal(found, np.where(chosen, one.sum(axis=1) + other, 0))
    assert counted.calls == [BLOCK] * -(-wanted // BLOCK)


def test_where_none_is_wanted_the_zeros_have_the_right_shape():
    counted, (one, other) = Counted(), arrays(2 * BLOCK)
    found = in_blocks(counted, np.zeros(2 * BLOCK, bool), one, other)
    assert found.shape == (2 * BLOCK,)
    assert not found[1:].any()
    assert counted.calls == [BLOCK]
