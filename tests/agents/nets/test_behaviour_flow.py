from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.behaviour_flow import behaviour_chunks, behaviour_loss, initial_behaviour
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.data.horizons import Horizons

HORIZONS = Horizons(chunk=2, backup=2, delay=1)
LAYERS = initial_behaviour(jax.random.key(0), Sizes(3, 2), HORIZONS, (16, 16))


def draw(count: int, samples: int, lengths: int = 1) -> np.ndarray:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(count, samples, 3, 2)).astype(np.float32)
    prefix = np.full((count, 1, 2), 0.25, np.float32)
    observations = rng.normal(size=(count, 3)).astype(np.float32)
    given = (observations, noise, prefix, np.full(count, lengths))
    return np.asarray(behaviour_chunks(LAYERS, *map(jnp.asarray, given), HORIZONS, 4))


def test_chunks_begin_with_their_prefix_and_stay_within_bounds():
    chunks = draw(3, 5)
    assert (chunks[:, :, 0] == 0.25).all()
    assert np.abs(chunks).max() <= 1
    assert (draw(3, 5, lengths=0)[:, :, 0] != 0.25).all()


def test_blocks_change_nothing_but_last_bits(monkeypatch):
    whole = draw(8, 4)
    monkeypatch.setattr(mlp, "BLOCK", 8)
    np.testing.assert_allclose(draw(8, 4), whole, atol=1e-6)


def test_rows_that_were_never_played_are_not_imitated():
    observations, chunks = jnp.ones((4, 3)), jnp.zeros((4, 3, 2))
    known = jnp.array([[1.0, 1.0, 0.0]] * 4)

    def loss(layers: mlp.Layers) -> jax.Array:
        return behaviour_loss(layers, observations, chunks, known, HORIZONS, jax.random.key(1))

    pull = np.asarray(jax.grad(loss)(LAYERS)[-1]["bias"]).reshape(3, 2)
    assert (pull[1] != 0).all()
    assert (pull[2] == 0).all()
