"""REMAC's objective, where its optimum is known."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents import flow_matching
from chunkenv.agents.delay_aware.self_conditioning import RemacSettings, SelfConditioning
from chunkenv.agents.nets.mixer import ChunkSizes, initial_weights
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow
from chunkenv.errors import ArgumentError
from tests.agents.two_modes import SMALL, TwoModes

MEAN, OWN = 2.0, -1.0  # of the demonstrated chunks, and of the frozen policy's


class Shifted:
    """A frozen policy whose chunks are its noise, shifted."""

    steps = 1

    def velocity(self, observations, chunks, time):
        return jnp.full_like(chunks, OWN)


@partial(jax.tree_util.register_dataclass, data_fields=["weights"], meta_fields=[])
@dataclass(frozen=True)
class Known:
    """The best velocity for independent rows: the demonstrated mean, minus the noise that the path tells of.

    The path is (1 - t) noise + t * (own noise + OWN): E[noise | x] = (1 - t) (x - t OWN) / ((1 - t)^2 + t^2).
    """

    weights: dict

    def velocity(self, observations, chunks, time, lengths):
        time = time[:, None, None]
        noise = (1 - time) * (chunks - time * OWN) / ((1 - time) ** 2 + time**2)
        return self.weights["mean"] - self.weights["share"] * noise


def slopes(mean, share, last_share):
    objective = SelfConditioning(Shifted(), 1, last_share)
    rng = np.random.default_rng(0)
    actions = (MEAN + 0.5 * rng.standard_normal((40_000, 3, 1))).astype(np.float32)
    given = (jax.random.key(1), 1.0, np.zeros((len(actions), 2)), actions, np.ones(actions.shape[:2]))
    weights = {"mean": jnp.float32(mean), "share": jnp.float32(share)}
    found = jax.jit(jax.grad(objective.loss))(weights, Known(weights), *given)
    return float(found["mean"]), float(found["share"])


def test_at_the_end_the_best_answer_to_its_own_chunks_is_the_demonstrated_mean():
    np.testing.assert_allclose(slopes(MEAN, 1.0, last_share=0.0), 0, atol=0.03)
    assert slopes(OWN, 1.0, last_share=0.0)[0] < -4
    assert slopes(MEAN, 0.5, last_share=0.0)[1] < -0.1


def test_shown_the_demonstrated_chunks_only_it_is_training_time_rtc():
    sizes = ChunkSizes(3, 4, 2, prefix=True)
    weights = {name: value + 0.1 for name, value in initial_weights(SMALL, sizes, 0).items()}
    flow = PreconditionedFlow(weights, np.zeros(3), np.ones(3), SMALL, sizes, 5, 0.5)
    observations, actions, mask = TwoModes(masked=0.5).sample(np.random.default_rng(0), 64)
    key = jax.random.key(0)
    hard = jax.jit(flow_matching.loss, static_argnums=6)(weights, flow, observations, actions, mask, key, 3)
    early, late = (
        jax.jit(SelfConditioning(flow, 3, last_share).loss)(weights, flow, key, done, observations, actions, mask)
        for last_share, done in ((0.0, 0.0), (1.0, 0.9))
    )
    np.testing.assert_allclose((early, late), hard, rtol=1e-6)


@pytest.mark.parametrize("wrong", [{"last_share": 1.5}, {"max_prefix": 0}, {"soft_rows": 1}])
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        RemacSettings(**wrong)
