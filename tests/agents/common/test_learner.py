from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.common.critics import fill_unplayed, mean_counted
from chunkenv.agents.common.learner import AgentSettings
from chunkenv.errors import ArgumentError


def test_rows_never_played_are_those_of_a_window_that_was_played_whole():
    rows = jnp.arange(8.0).reshape(4, 2, 1)
    known = jnp.array([[1, 1], [1, 0], [1, 0], [1, 0]], jnp.float32)
    found = np.asarray(fill_unplayed(rows, known, jax.random.key(0)))[..., 0]
    assert found.tolist() == [[0, 1], [2, 1], [4, 1], [6, 1]]


def test_only_windows_that_count_are_averaged():
    errors, counted = jnp.array([[1.0, 100.0], [3.0, 100.0]]), jnp.array([1.0, 0.0])
    assert float(mean_counted(errors, counted)) == 2.0
    assert float(mean_counted(errors, jnp.zeros(2))) == 0.0


@pytest.mark.parametrize("given", [dict(critics=0), dict(batch=0), dict(polyak=2.0), dict(hidden=(0,))])
def test_invalid_settings_are_refused(given):
    with pytest.raises(ArgumentError):
        AgentSettings(**given)
