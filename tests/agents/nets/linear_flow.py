"""The flow to a Gaussian whose mean depends linearly on the observation: everything about it is known."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from chunkenv.agents.nets.chunk_flow import Flow, clean_rows

STEPS = 8
DEVIATION = 0.5
ROWS, SIZE = 6, 2
TOLD = 3


@partial(jax.tree_util.register_dataclass, data_fields=["slopes"], meta_fields=["steps"])
@dataclass(frozen=True)
class LinearFlow(Flow):
    """Data are N(observation @ slopes, DEVIATION^2) in every number of a chunk; slopes are [O, H * A]."""

    slopes: jax.Array
    steps: int = STEPS

    def means(self, observations):
        return (observations @ self.slopes).reshape(-1, ROWS, SIZE)

    def velocity(self, observations, chunks, time, prefix_length=None):
        pull, drift = coefficients(time)
        velocity = pull * chunks + drift * self.means(observations)
        clean = 0 if prefix_length is None else clean_rows(jnp.asarray(prefix_length), ROWS)[..., None]
        return velocity * (1 - clean)


def coefficients(time):
    """The velocity of x at flow time t is pull x + drift mean: of the path t data + (1 - t) noise."""
    variance = (DEVIATION * time) ** 2 + (1 - time) ** 2
    pull = (DEVIATION**2 * time - (1 - time)) / variance
    return pull, 1 - pull * time


def euler_coefficients():
    """What all Euler steps make of noise x: factor x + share mean."""
    factor, share = 1.0, 0.0
    for step in range(STEPS):
        pull, drift = coefficients(step / STEPS)
        factor, share = factor * (1 + pull / STEPS), share * (1 + pull / STEPS) + drift / STEPS
    return factor, share


def slopes(observation_size, seed=0):
    return jax.random.normal(jax.random.key(seed), (observation_size, ROWS * SIZE))
