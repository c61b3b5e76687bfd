import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents import flow_matching as flow
from chunkenv.agents.flow_matching import FlowSettings
from chunkenv.agents.nets.mixer import ChunkSizes, initial_weights
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow
from chunkenv.errors import ArgumentError
from tests.agents.two_modes import SMALL, TwoModes, settings

LOSS = jax.jit(flow.loss, static_argnums=6, static_argnames="soft_rows")


def test_only_rows_behind_the_prefix_count():
    """With a prefix of H - 1 in every window, changing the target of another row changes no loss."""
    sizes = ChunkSizes(3, 4, 2, prefix=True)
    weights = {name: value + 0.1 for name, value in initial_weights(SMALL, sizes, 0).items()}
    blank = PreconditionedFlow(weights, np.zeros(3), np.ones(3), SMALL, sizes, 5, 0.5)
    observations, actions, _ = TwoModes().sample(np.random.default_rng(0), 64)
    lost = jax.grad(lambda mask: flow.loss(weights, blank, observations, actions, mask, jax.random.key(0), 3))
    slopes = np.asarray(jax.jit(lost)(jnp.ones((64, 4))))
    _, lengths = flow.draw_times_and_lengths(jax.random.key(0), 64, 3)
    clean = np.arange(4) < np.asarray(lengths)[:, None]
    assert (slopes[clean] == 0).all()
    assert (slopes[~clean] != 0).all()
    assert set(np.asarray(lengths).tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"updates": 0},
        {"batch": 2.5},
        {"max_prefix": -1},
        {"averaging": 1.5},
        {"learning_rate": -1.0},
        {"soft_rows": -1},
        {"prefix_decay": -0.5},
        {"soft_rows": 2},  # without a prefix
    ],
)
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        FlowSettings(**wrong)


def test_settings_are_values():
    assert settings() == settings()
    assert hash(settings()) == hash(dataclasses.replace(settings()))


def test_soft_rows_begin_nearer_to_the_data_and_their_error_counts():
    """A velocity that is asked for records where it is asked: rows of weight w at times of w and more."""
    sizes = ChunkSizes(3, 4, 2, prefix=True)
    blank = PreconditionedFlow(initial_weights(SMALL, sizes, 0), np.zeros(3), np.ones(3), SMALL, sizes, 5, 0.5)
    observations, actions, mask = TwoModes().sample(np.random.default_rng(0), 64)
    key = jax.random.key(0)
    given = (blank.weights, blank, observations, actions, mask, key, 1)
    assert float(LOSS(*given, soft_rows=2)) != float(LOSS(*given))
    _, lengths = flow.draw_times_and_lengths(key, 64, 1)
    weights = np.asarray(flow.draw_soft_weights(key, lengths, 2, 4))
    assert set(weights[np.asarray(lengths) == 1, 1].round(3).tolist()) == {0.0, 0.5, np.float32(2 / 3).round(3)}
    slope = jax.grad(lambda known: flow.loss(*given[:4], known, *given[5:], soft_rows=2))
    slopes = jax.jit(slope)(jnp.ones((64, 4)))
    assert ((np.asarray(slopes) != 0) == (weights < 1)).all()


def test_a_decay_makes_longer_prefixes_rarer():
    _, lengths = flow.draw_times_and_lengths(jax.random.key(0), 200_000, 3, prefix_decay=0.5)
    chances = np.exp(-0.5 * np.arange(4))
    np.testing.assert_allclose(np.bincount(lengths) / 200_000, chances / chances.sum(), atol=0.005)
