import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.nets import mixer
from chunkenv.agents.nets.mixer import Architecture, ChunkSizes, initial_weights
from chunkenv.errors import ArgumentError

KINDS = ["mlp", "mixer"]
apply = jax.jit(mixer.apply, static_argnums=(0, 1))


def small(kind):
    return Architecture(kind=kind, width=16, hidden=24, blocks=2, time_features=8)


def random_weights(architecture, sizes, seed=0):
    """The last layers are zero at first, so every weight is drawn anew (and the first ones need no compiling)."""
    weights = jax.eval_shape(lambda: initial_weights(architecture, sizes, seed))
    rng = np.random.default_rng(seed)
    return {name: jnp.asarray(0.3 * rng.standard_normal(value.shape, np.float32)) for name, value in weights.items()}


def inputs(sizes, count=3):
    rng = np.random.default_rng(1)
    observations = rng.standard_normal((count, sizes.observation), np.float32)
    return observations, rng.standard_normal((count, sizes.horizon, sizes.action), np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_output_is_zero_and_the_seed_decides_the_weights(kind):
    sizes = ChunkSizes(3, 4, 2, prefix=True)
    observations, chunks = inputs(sizes)
    clean = np.zeros(chunks.shape[:2], np.float32)
    first, again, other = (initial_weights(small(kind), sizes, seed) for seed in (0, 0, 1))
    out = apply(small(kind), sizes, first, observations, chunks, jnp.array([0.5]), clean)
    np.testing.assert_array_equal(out, np.zeros_like(chunks))
    assert all((first[name] == again[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [ChunkSizes(5, 8, 6), ChunkSizes(1, 1, 1)])
def test_the_output_has_the_shape_of_the_chunks(kind, sizes):
    inputs_ = (*inputs(sizes), jnp.array([0.5]))
    out = jax.eval_shape(lambda: apply(small(kind), sizes, random_weights(small(kind), sizes), *inputs_))
    assert out.shape == (3, sizes.horizon, sizes.action)


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_matters(kind):
    sizes = ChunkSizes(5, 8, 6, prefix=True)
    observations, chunks = inputs(sizes)
    clean = (np.arange(8) < 3).astype(np.float32) * np.ones((3, 1), np.float32)
    weights = random_weights(small(kind), sizes)

    def total(weights):
        return (apply(small(kind), sizes, weights, observations, chunks, jnp.array([0.3]), clean) ** 2).sum()

    for name, gradient in jax.jit(jax.grad(total))(weights).items():
        assert np.abs(gradient).max() > 0, name


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_a_batch_do_not_see_each_other(kind):
    sizes = ChunkSizes(5, 8, 6)
    observations, chunks = inputs(sizes)
    weights, time = random_weights(small(kind), sizes), np.array([0.1, 0.5, 0.9], np.float32)
    together = apply(small(kind), sizes, weights, observations, chunks, time)
    alone = apply(small(kind), sizes, weights, observations[1:2], chunks[1:2], time[1:2])
    np.testing.assert_allclose(together[1], alone[0], atol=1e-4)


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", KINDS)
def test_one_time_for_all_is_that_time_for_each(kind):
    sizes = ChunkSizes(5, 8, 6)
    observations, chunks = inputs(sizes)
    weights = random_weights(small(kind), sizes)
    one = apply(small(kind), sizes, weights, observations, chunks, jnp.array([0.4]))
    each = apply(small(kind), sizes, weights, observations, chunks, jnp.full(3, 0.4))
    np.testing.assert_allclose(one, each, atol=1e-4)


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_seen_the_chunk_the_time_and_what_is_clean_change_the_output(kind):
    sizes = ChunkSizes(5, 8, 6, prefix=True)
    observations, chunks = inputs(sizes)
    weights, time, clean = random_weights(small(kind), sizes), jnp.array([0.4]), np.zeros((3, 8), np.float32)
    base = apply(small(kind), sizes, weights, observations, chunks, time, clean)
    marked = clean.copy()
    marked[:, 0] = 1
    for other in (
        (observations + 1, chunks, time, clean),
        (observations, chunks + 1, time, clean),
        (observations, chunks, time + 0.3, clean),
        (observations, chunks, time, marked),
    ):
        assert np.abs(apply(small(kind), sizes, weights, *other) - base).max() > 1e-3


def test_the_time_of_a_clean_row_of_the_mixer_is_not_that_of_the_others():
    sizes = ChunkSizes(5, 8, 6, prefix=True)
    observations, chunks = inputs(sizes)
    weights, clean = random_weights(small("mixer"), sizes), np.ones((3, 8), np.float32)
    early, late = (
        apply(small("mixer"), sizes, weights, observations, chunks, jnp.array([t]), clean) for t in (0.1, 0.9)
    )
    np.testing.assert_array_equal(early, late)


@pytest.mark.parametrize("wrong", [{"kind": "mlpp"}, {"width": 0}, {"blocks": 1.5}])
def test_an_architecture_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises(ArgumentError, match=str(next(iter(wrong.values())))):
        Architecture(**wrong)
