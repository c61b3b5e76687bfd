import numpy as np
import pytest
from gymnasium import spaces

from chunkenv.evaluate.smoothness import SmoothnessMetrics

CHUNKS = spaces.Box(-1, 1, (4, 2))


def decision(actions, sources, staleness):
    return dict(
        actions=[np.array(a, np.float32) for a in actions], sources=np.array(sources), staleness=np.array(staleness)
    )


def test_by_hand():
    """Two cycles of H = 4, s = 2, d = 1: the switch is at tick 3, where row 1 of the second chunk runs."""
    metrics = SmoothnessMetrics(CHUNKS)
    metrics.add(decision([[0, 0], [0.3, 0.4]], [[0, 0], [0, 1]], [0, 1]))
    metrics.add(decision([[0.3, 0.4], [0.3, -0.6]], [[1, 2], [0, 1]], [2, 1]))
    measures = metrics.measures()
    assert measures["mean_staleness"] == 1.0
    assert measures["boundary_jump"] == pytest.approx(1.0)
    assert measures["chunk_change"] == pytest.approx((0.5 + 0.0) / 2)
    third = np.linalg.norm(np.array([0.3, -0.6]) - 3 * np.array([0.3, 0.4]) + 3 * np.array([0.3, 0.4]))
    assert measures["jerk"] == pytest.approx(third)


def test_actions_count_as_they_are_clipped():
    metrics = SmoothnessMetrics(CHUNKS)
    metrics.add(decision([[1, 1], [5, 9]], [[0, 0], [0, 1]], [0, 1]))
    assert metrics.measures()["chunk_change"] == 0.0


def test_an_underrun_belongs_to_the_chunk_before_it():
    metrics = SmoothnessMetrics(CHUNKS)
    metrics.add(decision([[0, 0]], [[0, 0]], [0]))
    metrics.add(decision([[0, 0], [1, 0]], [[-1, -1], [0, 1]], [-1, 1]))
    measures = metrics.measures()
    assert (measures["boundary_jump"], measures["chunk_change"], measures["mean_staleness"]) == (1.0, 0.0, 0.5)


def test_what_is_too_short_says_nothing():
    metrics = SmoothnessMetrics(CHUNKS)
    metrics.add(decision([[0, 0]], [[0, 0]], [0]))
    assert metrics.measures() == {"mean_staleness": 0.0, "boundary_jump": None, "chunk_change": None, "jerk": None}
    assert set(SmoothnessMetrics(CHUNKS).measures().values()) == {None}


def test_actions_that_are_no_box():
    metrics = SmoothnessMetrics(spaces.MultiDiscrete([3, 3]))
    metrics.add(dict(actions=[0, 1], sources=np.array([[0, 0], [0, 1]]), staleness=np.array([0, 1])))
    assert metrics.measures() == {"mean_staleness": 0.5, "boundary_jump": None, "chunk_change": None, "jerk": None}
